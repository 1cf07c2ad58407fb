"""What follows from a review: the timeline, what products come to, points, and who is told."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from services.customer.loyalty.earning import Earning
from services.customer.loyalty.repository import LoyaltyRepository
from services.customer.reviews.repository import Counted, Review, ReviewRepository
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import TimelineRepository
from shared.contracts.reviews import (
    ReviewCreated,
    ReviewPublished,
    ReviewState,
    ReviewUpdated,
)
from shared.db.unit_of_work import UnitOfWork

WRITTEN: Final = "review.written"
"""What the timeline calls it, and the event that earns points."""


class ReviewTelling:
    """Tells of reviews, inside one unit of work; the family of who wrote one is locked."""

    def __init__(
        self, *, uow: UnitOfWork, reviews: ReviewRepository, timeline: TimelineRepository
    ) -> None:
        self._uow = uow
        self._reviews = reviews
        self._timeline = timeline
        self._loyalty = LoyaltyRepository(uow)

    async def of_new(self, row: Review) -> None:
        """It has been written."""
        await self._count(None, row)
        if row.customer_id is not None:
            await self._timeline.add([_entry(row)])
        self._uow.append(ReviewCreated(review=_state(row)), key=_key(row))
        await self._tell_published(None, row)

    async def of_other_words(self, before: Review, after: Review) -> None:
        """It says something else now."""
        await self._count(before, after)
        if after.customer_id is not None:
            await self._timeline.rewrite(_entry(after))
        self._tell_updated(after)
        await self._tell_published(before, after)

    async def of_change(self, before: Review, after: Review) -> None:
        """Others may read it now, or may not any more."""
        await self._count(before, after)
        self._tell_updated(after)
        await self._tell_published(before, after)

    async def of_other_products(
        self, row: Review, *, gone: Sequence[str], new: Sequence[str]
    ) -> None:
        """It stands with other products now; the review itself is what it was."""
        if _counts(row):
            counted = [_counted(row, product, -1) for product in gone]
            counted += [_counted(row, product, +1) for product in new]
            await self._reviews.count(counted)

    async def of_other_customer(self, after: Review) -> None:
        """It is somebody else's now. What it earned stays with who was believed to say it."""
        await self._timeline.rewrite(_entry(after))
        self._tell_updated(after)

    def of_answer(self, after: Review) -> None:
        """The shop says something else to it."""
        self._tell_updated(after)

    def _tell_updated(self, after: Review) -> None:
        self._uow.append(ReviewUpdated(review=_state(after)), key=_key(after))

    async def _tell_published(self, before: Review | None, after: Review) -> None:
        """What follows when a review is there to be read, or an order was rated."""
        if _counts(after) and not (before is not None and _counts(before)):
            if after.status == "published":
                self._uow.append(ReviewPublished(review=_state(after)), key=_key(after))
            await self._reward(after)

    async def _reward(self, row: Review) -> None:
        """Points for a review, once, if the shop gives any; the family is locked."""
        if row.customer_id is None:
            return
        programme = await self._loyalty.find_programme()
        if programme is not None and programme.active:
            await Earning(self._uow).by_event(
                row.customer_id,
                WRITTEN,
                reference=f"review:{row.id}",
                at=self._uow.clock.now(),
            )

    async def _count(self, before: Review | None, after: Review) -> None:
        """Keep what products come to exact."""
        steps = [(before, -1), (after, +1)]
        same = before is not None and _counts(before) == _counts(after)
        if same and before is not None:
            unchanged = (before.rating, before.verified) == (after.rating, after.verified)
            if unchanged:
                return
        products = sorted(await self._reviews.products_of(after.id))
        for row, times in steps:
            if row is not None and _counts(row):
                await self._reviews.count([_counted(row, product, times) for product in products])


def _counts(row: Review) -> bool:
    return row.status in ("published", "private")


def _counted(row: Review, product_id: str, times: int) -> Counted:
    votes = times * row.helpful_count
    return Counted(product_id, row.kind, row.rating, row.verified, times, votes=votes)


def _key(row: Review) -> UUID:
    key: UUID = row.customer_id or row.id
    return key


def _state(row: Review) -> ReviewState:
    known = {name: getattr(row, name) for name in ReviewState.model_fields if name != "review_id"}
    return ReviewState(review_id=row.id, **{**known, "photos": tuple(row.photos)})


def _entry(row: Review) -> Entry:
    """What was said stands in the review, not in the timeline."""
    return Entry(
        id=row.id,
        customer_id=row.customer_id,
        type=WRITTEN,
        occurred_at=row.created_at,
        data={
            "review_id": str(row.id),
            "kind": row.kind,
            "rating": row.rating,
            "product_id": row.product_id,
            "order_id": str(row.order_id) if row.order_id else None,
        },
    )
