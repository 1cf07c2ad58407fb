"""What orders and events earn, in the unit of work that takes them in."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.families.family import Families
from services.customer.loyalty.book import Book
from services.customer.loyalty.ledger_repository import LedgerRepository
from services.customer.loyalty.lots import Lot
from services.customer.loyalty.repository import LoyaltyRepository
from services.customer.loyalty.telling import tell_moves
from services.customer.loyalty.terms import Programme, Rule, order_points
from services.customer.loyalty.tiers import TierKeeper
from services.customer.orders.news import OrderChange
from services.customer.orders.record import OrderRecord
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id

_KEPT = ("paid", "partially_refunded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """Points for somebody because of an order, theirs or another's; lost with the order."""

    customer_id: UUID
    cause: str
    points: int
    order_id: UUID


Standing = Callable[[Mapping[str, OrderRecord], Mapping[UUID, UUID]], Awaitable[Collection[str]]]
"""Of rewards by their causes, each given with its order, those that are still for that order.

It is told, too, who stands for each member of the families that are concerned.
"""


class Earning:
    """Makes what customers have earned what it ought to be; inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._families = Families(uow)
        self._loyalty = LoyaltyRepository(uow)
        self._ledger = LedgerRepository(uow)

    async def by_orders(
        self, changes: Sequence[OrderChange], rewards: Sequence[Reward], *, standing: Standing
    ) -> None:
        """Points for orders that were paid, and taken back where money went back.

        `standing` is asked only of orders that have brought rewards before.
        """
        orders = [c.after for c in changes if _concerns(c)]
        if not orders:
            return
        programme = await self._loyalty.find_programme()
        if programme is None:
            return
        order_ids = [order.id for order in orders]
        owners = set(await self._ledger.owners(order_ids))
        concerned = owners | {o.customer_id for o in orders} | {r.customer_id for r in rewards}
        members = await self._families.of_all(concerned)
        book = Book(
            await self._ledger.lock(members.keys(), orders=order_ids),
            roots=members,
            now=self._uow.clock.now(),
        )
        by_id = {order.id: order for order in orders}
        rewarding = [(lot, lot.order_id) for lot in book if lot.kind == "referral"]
        given = {lot.cause: by_id[of] for lot, of in rewarding if of in by_id}
        self._correct(book, programme, by_id, await standing(given, members) if given else ())
        if programme.active:
            await self._grant(book, programme, orders, members)
            has_had = {(of, lot.customer_id) for lot, of in rewarding}
            for reward in rewards:
                if (reward.order_id, reward.customer_id) in has_had:
                    continue
                terms = ({"points": reward.points},)
                lot = self._lot(
                    programme,
                    customer_id=reward.customer_id,
                    kind="referral",
                    cause=reward.cause,
                    order_id=reward.order_id,
                    terms=terms,
                    earned_at=book.now,
                )
                book.grant(lot, reward.points)
        book.settle()
        tell_moves(self._uow, book)
        await self._ledger.save(book)
        touched = {order.customer_id for order in orders}
        buyers = {members[customer_id] for customer_id in touched}
        raised = {member: root for member, root in members.items() if root in buyers}
        await TierKeeper(self._uow, programme).raise_up(raised, touched=touched)

    async def by_event(
        self, customer_id: UUID, event: str, *, reference: str, at: datetime
    ) -> list[Lot]:
        """What an event earns, once for its reference. Raises NoProgramme.

        Where it has earned for somebody else there is nothing of it for this customer, whose family
        is locked already.
        """
        programme = await self._loyalty.get_programme()
        rules = programme.event_rules(event, at)
        members = await self._families.of_all([customer_id])
        causes = {rule.id: f"event:{rule.id}:{reference}" for rule in rules}
        lots = await self._ledger.lock(members.keys(), causes=causes.values())
        others = await self._families.of_all({lot.customer_id for lot in lots} - members.keys())
        book = Book(lots, roots={**members, **others}, now=self._uow.clock.now())
        known = {lot.cause for lot in lots}
        times = await self._ledger.times(members.keys(), [rule.id for rule in rules])
        for rule in rules:
            if causes[rule.id] in known or not _is_left(rule, times):
                continue
            lot = self._lot(
                programme,
                customer_id=customer_id,
                kind="event",
                cause=causes[rule.id],
                rule_id=rule.id,
                earned_at=at,
            )
            book.grant(lot, rule.points, note=event)
        book.settle()
        tell_moves(self._uow, book)
        await self._ledger.save(book)
        await TierKeeper(self._uow, programme).raise_up(members, touched=[customer_id])
        return [lot for lot in book if lot.cause in causes.values() and lot.customer_id in members]

    def _correct(
        self,
        book: Book,
        programme: Programme,
        orders: Mapping[UUID, OrderRecord],
        standing: Collection[str],
    ) -> None:
        for lot in list(book):
            order = orders.get(lot.order_id) if lot.order_id else None
            if order is None:
                continue
            if lot.kind == "order":
                is_theirs = lot.customer_id == order.customer_id
                kept = kept_minor(order) if is_theirs and _counts(order, programme) else 0
                points = order_points(lot.terms, kept, lot.multiplier_percent)
                book.correct(lot.id, points, amount_minor=kept)
            elif lot.kind == "referral":
                is_due = lot.cause in standing and kept_minor(order)
                points = lot.terms[0]["points"] if is_due else 0
                book.correct(lot.id, points, amount_minor=0)

    async def _grant(
        self,
        book: Book,
        programme: Programme,
        orders: Sequence[OrderRecord],
        members: Mapping[UUID, UUID],
    ) -> None:
        known = {lot.cause for lot in book}
        new = [
            order
            for order in orders
            if _cause(order) not in known
            and kept_minor(order)
            and _counts(order, programme)
            and order.placed_at >= programme.starts_at
        ]
        tiers = await TierKeeper(self._uow, programme).current(members) if new else {}
        for order in new:
            tier = tiers.get(members[order.customer_id])
            lot = self._lot(
                programme,
                customer_id=order.customer_id,
                kind="order",
                cause=_cause(order),
                order_id=order.id,
                amount_minor=kept_minor(order),
                multiplier_percent=tier.multiplier_percent if tier else 100,
                terms=programme.order_terms(order.placed_at),
                earned_at=min(order.paid_since, book.now),
            )
            book.grant(lot, order_points(lot.terms, lot.amount_minor, lot.multiplier_percent))

    def _lot(self, programme: Programme, *, earned_at: datetime, **columns: Any) -> Lot:
        available_at = programme.available_at(earned_at)
        return Lot(
            id=new_id(),
            earned_at=earned_at,
            available_at=available_at,
            expires_at=programme.expires_at(available_at),
            **columns,
        )


def _concerns(change: OrderChange) -> bool:
    """Whether it may have earned before, or does now."""
    return change.after.paid or (change.before is not None and change.before.paid)


def kept_minor(order: OrderRecord) -> int:
    """What was paid and not given back."""
    if order.deleted_at or order.status == "cancelled" or order.financial_status not in _KEPT:
        return 0
    return max(order.total_minor - order.refunded_minor, 0)


def _counts(order: OrderRecord, programme: Programme) -> bool:
    """Whether it is in the money that rules and tiers speak of."""
    return order.currency == programme.currency


def _cause(order: OrderRecord) -> str:
    # An order that turns out to be somebody else's earns for them anew.
    return f"order:{order.id}:{order.customer_id}"


def _is_left(rule: Rule, times: Mapping[UUID, int]) -> bool:
    return rule.limit_per_customer is None or times.get(rule.id, 0) < rule.limit_per_customer
