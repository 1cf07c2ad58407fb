"""Decisions about reviews: who wrote what, who may read it, what it comes to."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.customer.customers.errors import CustomerNotFound
from services.customer.families.family import Families, Family
from services.customer.families.seen import SeenPeople
from services.customer.orders.errors import OrderNotFound
from services.customer.orders.record import OrderRecord
from services.customer.orders.repository import OrderRepository
from services.customer.reviews.errors import (
    OrderNotRated,
    ReviewNotFound,
    ReviewTransitionRefused,
)
from services.customer.reviews.moderation import (
    COUNTED_FOR,
    SAME_WITHIN,
    TRANSITIONS,
    AutoPublish,
    ReviewPolicy,
    ReviewStatus,
    suspicions,
)
from services.customer.reviews.order_ratings import rated_products
from services.customer.reviews.repository import (
    Review,
    ReviewFilter,
    ReviewRepository,
    ReviewSort,
)
from services.customer.reviews.schemas import (
    OrderRatingPut,
    ReviewCreate,
    ReviewPolicyPut,
)
from services.customer.reviews.sender_repository import SenderRepository
from services.customer.reviews.telling import ReviewTelling
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.errors import LostRace
from shared.ids import new_id
from shared.web.resources import check_version


@dataclass(frozen=True, slots=True)
class Writer:
    """Who sends a review: a shopper, a caller who is believed, or anybody."""

    owner: UUID | None
    trusted: bool
    client_ip: str | None


class ReviewService:
    """What clients can do with reviews of customers whom they see."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        reviews: ReviewRepository,
        orders: OrderRepository,
        people: SeenPeople,
        telling: ReviewTelling,
        writer: Writer,
    ) -> None:
        self._uow = uow
        self._reviews = reviews
        self._orders = orders
        self._people = people
        self._telling = telling
        self._writer = writer
        self._families = Families(uow)
        self._senders = SenderRepository(uow)

    async def write(self, given: ReviewCreate) -> tuple[Review, bool]:
        """The review, and whether it is new: a person has one of a product, and may change it.

        What looks odd waits for somebody to look at it. Raises CustomerNotFound, CustomerIsErased.
        """
        customer_id = self._writer.owner or given.customer_id
        odd = await self._suspicions(given)
        said = given.model_dump(exclude={"honeypot", "customer_id"})
        if customer_id is None:
            return await self._take_from_nobody(said, odd)
        await self._people.unerased(customer_id)
        family = await self._families.lock(customer_id)
        verified = await self._orders.has_bought(family.member_ids, given.product_id)
        status = await self._first_status(said["rating"], verified=verified, odd=bool(odd))
        said |= {"verified": verified, "status": status, "suspicions": odd}
        before = await self._reviews.find_of_product_by(family.member_ids, given.product_id)
        if before is not None:
            return await self._rewrite(before, said), False
        return await self._add({**said, "customer_id": customer_id}, [given.product_id]), True

    async def rate_order(self, order_id: UUID, given: OrderRatingPut) -> tuple[Review, bool]:
        """What the customer says of an order, and whether it is the first time.

        Raises OrderNotFound, CustomerIsErased.
        """
        order, family = await self._order(order_id)
        await self._people.unerased(family.root_id)
        await self._families.lock(family.root_id)
        said = given.model_dump()
        before = await self._reviews.find_of_order(order_id, lock=True)
        if before is not None:
            return await self._rewrite(before, {**said, "status": "private"}), False
        columns = {
            **said,
            "kind": "order",
            "order_id": order_id,
            "customer_id": order.customer_id,
            "verified": True,
            "status": "private",
        }
        return await self._add(columns, rated_products(order)), True

    async def rating_of(self, order_id: UUID) -> Review:
        """Raises OrderNotFound, OrderNotRated."""
        await self._order(order_id)
        found = await self._reviews.find_of_order(order_id)
        if found is None:
            raise OrderNotRated
        return found

    async def get(self, review_id: UUID) -> Review:
        """Raises ReviewNotFound."""
        return await self._seen(await self._reviews.get(review_id))

    async def publish(self, review_id: UUID, *, expected_version: int | None) -> Review:
        """Let everybody read it.

        Raises ReviewNotFound, PreconditionFailed, ReviewTransitionRefused.
        """
        return await self._move(
            review_id, "published", reason=None, expected_version=expected_version
        )

    async def reject(self, review_id: UUID, *, reason: str, expected_version: int | None) -> Review:
        """Let nobody read it.

        Raises ReviewNotFound, PreconditionFailed, ReviewTransitionRefused.
        """
        return await self._move(
            review_id, "rejected", reason=reason, expected_version=expected_version
        )

    async def answer(self, review_id: UUID, text: str | None, *, staff_id: UUID | None) -> Review:
        """What the shop says to it. Raises ReviewNotFound."""
        before = await self._seen(await self._reviews.get(review_id, lock=True))
        if before.answer == text:
            return before
        now = self._uow.clock.now()
        changes = {
            "answer": text,
            "answered_by": staff_id if text else None,
            "answered_at": now if text else None,
        }
        row = await self._reviews.save(review_id, {**changes, "updated_at": now})
        self._telling.of_answer(row)
        return row

    async def page(
        self, wanted: ReviewFilter, request: PageRequest
    ) -> tuple[Sequence[Review], str | None]:
        """A page of the reviews that the caller sees, newest first."""
        return await self._reviews.page(wanted, request)

    async def page_of(
        self, customer_id: UUID, request: PageRequest
    ) -> tuple[Sequence[Review], str | None]:
        """A page of what a person has said, newest first. Raises CustomerNotFound."""
        family = await self._people.family(customer_id)
        return await self._reviews.page_of(family.member_ids, request)

    async def published(
        self, product_id: str, sort: ReviewSort, request: PageRequest
    ) -> tuple[Sequence[Review], str | None]:
        """A page of what everybody may read of a product."""
        return await self._reviews.published(product_id, sort, request)

    async def ratings_of(self, product_id: str) -> Mapping[str, Mapping[str, Any]]:
        """What a product comes to, by kind."""
        return await self._reviews.ratings_of(product_id)

    async def policy(self) -> tuple[ReviewPolicy, int]:
        """Which reviews are published without a look; 0 until the shop has decided."""
        row = await self._reviews.find_policy()
        if row is None:
            return ReviewPolicy(), 0
        return ReviewPolicy(row.auto_publish, row.from_stars), row.version

    async def put_policy(
        self, given: ReviewPolicyPut, *, expected_version: int | None
    ) -> tuple[ReviewPolicy, int]:
        """The policy as it is now. Raises PreconditionFailed."""
        before = await self._reviews.find_policy(lock=True)
        check_version(before.version if before else 0, expected_version)
        now = self._uow.clock.now()
        columns = {**given.model_dump(), "updated_at": now}
        if before is None:
            columns["created_at"] = now
        row = await self._reviews.put_policy(columns, is_new=before is None)
        if row is None:
            raise LostRace
        auto_publish: AutoPublish = row.auto_publish
        return ReviewPolicy(auto_publish, row.from_stars), row.version

    async def _take_from_nobody(
        self, said: Mapping[str, Any], odd: Sequence[str]
    ) -> tuple[Review, bool]:
        """From somebody who is not logged in: nobody knows what they have bought."""
        now = self._uow.clock.now()
        new = new_id()
        claimed = await self._senders.claim(
            _digest(said), review_id=new, at=now, since=now - SAME_WITHIN
        )
        if claimed != new:
            return await self._reviews.get(claimed), False
        status = await self._first_status(said["rating"], verified=False, odd=bool(odd))
        columns = {**said, "id": new, "verified": False, "status": status, "suspicions": odd}
        return await self._add(columns, [said["product_id"]]), True

    async def _add(self, said: Mapping[str, Any], products: Sequence[str]) -> Review:
        now = self._uow.clock.now()
        columns = {
            "id": new_id(),
            "kind": "product",
            "customer_id": None,
            "order_id": None,
            "product_id": None,
            "title": None,
            "photos": [],
            "author_name": None,
            "suspicions": [],
            "client_ip": None if self._writer.trusted else self._writer.client_ip,
            "published_at": now if said["status"] == "published" else None,
            "created_at": now,
            "updated_at": now,
            "version": 1,
            **said,
        }
        row = await self._reviews.add(columns, products)
        await self._telling.of_new(row)
        return row

    async def _rewrite(self, before: Review, said: Mapping[str, Any]) -> Review:
        """The review with other words; what others are to read is decided anew."""
        differing = {name: new for name, new in said.items() if getattr(before, name) != new}
        if not differing.keys() - {"status", "verified", "suspicions"}:
            return before
        now = self._uow.clock.now()
        if said["status"] == "published" and before.published_at is None:
            differing["published_at"] = now
        row = await self._reviews.save(before.id, {**differing, "reason": None, "updated_at": now})
        await self._telling.of_other_words(before, row)
        return row

    async def _move(
        self,
        review_id: UUID,
        status: ReviewStatus,
        *,
        reason: str | None,
        expected_version: int | None,
    ) -> Review:
        found = await self.get(review_id)
        if found.customer_id is not None:
            await self._families.lock(found.customer_id)
        before = await self._reviews.get(review_id, lock=True)
        check_version(before.version, expected_version)
        if before.status == status:
            return before
        allowed = TRANSITIONS[before.status]
        if status not in allowed:
            raise ReviewTransitionRefused(before.status, list(allowed))
        now = self._uow.clock.now()
        changes: dict[str, Any] = {"status": status, "reason": reason, "updated_at": now}
        if status == "published":
            changes["published_at"] = before.published_at or now
            if before.customer_id is not None:
                family = await self._families.of(before.customer_id)
                bought = await self._orders.has_bought(family.member_ids, before.product_id)
                changes["verified"] = bought
        row = await self._reviews.save(review_id, changes)
        await self._telling.of_change(before, row)
        return row

    async def _first_status(self, rating: int, *, verified: bool, odd: bool) -> str:
        policy, _ = await self.policy()
        return policy.first_status(rating=rating, verified=verified, odd=odd)

    async def _suspicions(self, given: ReviewCreate) -> list[str]:
        if self._writer.trusted:
            return []
        since, address = self._uow.clock.now() - COUNTED_FOR, self._writer.client_ip
        counted = await self._senders.count_from(address, since=since) if address else 0
        return list(
            suspicions(
                title=given.title,
                text=given.text,
                name=given.author_name,
                honeypot=given.honeypot,
                from_address=counted,
            )
        )

    async def _order(self, order_id: UUID) -> tuple[OrderRecord, Family]:
        """An order, and whose it is. Raises OrderNotFound, also for one that is not seen."""
        order = await self._orders.get(order_id)
        try:
            family = await self._people.family(order.customer_id)
        except CustomerNotFound as error:
            raise OrderNotFound from error
        if self._writer.owner is not None and self._writer.owner not in family.member_ids:
            raise OrderNotFound
        return order, family

    async def _seen(self, row: Review) -> Review:
        if row.customer_id is not None:
            try:
                await self._people.family(row.customer_id)
            except CustomerNotFound as error:
                raise ReviewNotFound from error
        return row


def _digest(said: Mapping[str, Any]) -> bytes:
    words = [str(said[name]) for name in ("product_id", "rating", "title", "text", "author_name")]
    return hashlib.sha256("\x1f".join(words).encode()).digest()
