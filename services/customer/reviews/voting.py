"""Decisions about votes: which reviews people find helpful."""

from collections.abc import Sequence
from uuid import UUID, uuid5

from services.customer.families.family import Families
from services.customer.families.seen import SeenPeople
from services.customer.reviews.errors import OwnReview, ReviewNotFound
from services.customer.reviews.repository import Counted, Review, ReviewRepository
from services.customer.reviews.schemas import ReviewVotePut
from services.customer.reviews.service import Writer
from shared.db.unit_of_work import UnitOfWork


class ReviewVoting:
    """What clients can do with votes on published reviews; `writer` is who votes."""

    def __init__(
        self, *, uow: UnitOfWork, reviews: ReviewRepository, people: SeenPeople, writer: Writer
    ) -> None:
        self._uow = uow
        self._reviews = reviews
        self._people = people
        self._writer = writer

    async def vote(self, review_id: UUID, given: ReviewVotePut) -> Review:
        """A published review after somebody has found it helpful, or does not any more.

        A person votes once, by whichever record; who is not logged in, once from an address. Raises
        ReviewNotFound, CustomerNotFound, OwnReview.
        """
        customer_id = self._writer.owner or given.customer_id
        if customer_id is None:
            voters: Sequence[UUID] = [uuid5(self._uow.tenant_id, self._writer.client_ip or "")]
        else:
            await self._people.family(customer_id)
            members = (await Families(self._uow).lock(customer_id)).member_ids
            voters = [customer_id, *(each for each in members if each != customer_id)]
        review = await self._reviews.get(review_id, lock=True)
        if review.status != "published":
            raise ReviewNotFound
        if review.customer_id is not None and review.customer_id in voters:
            raise OwnReview
        if given.helpful:
            more = await self._reviews.vote(
                review_id, voters[0], customer_id=customer_id, others=voters[1:]
            )
        else:
            more = -await self._reviews.unvote(review_id, voters)
        if not more:
            return review
        review = await self._reviews.add_votes(review_id, more)
        voted = Counted(
            review.product_id, review.kind, review.rating, review.verified, times=0, votes=more
        )
        await self._reviews.count([voted])
        return review
