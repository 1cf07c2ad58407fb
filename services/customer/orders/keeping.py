"""Keeping orders: each once, newest news wins, and the customers' figures follow."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from services.customer.customers.changes import CustomerChanges
from services.customer.families.family import Families
from services.customer.leads.conversion import convert_leads
from services.customer.orders.errors import TooManyOrderParts
from services.customer.orders.part_repository import OrderPartRepository
from services.customer.orders.parts import OrderPart, OrderParts, OrderReturn, PartChange
from services.customer.orders.record import (
    CONTENT_COLUMNS,
    Key,
    OrderContent,
    OrderLine,
    OrderRecord,
)
from services.customer.orders.repository import OrderRepository
from services.customer.orders.tally import Figures, Tally
from services.customer.tenants.shops import Shop
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import TimelineRepository
from shared.contracts.customer import (
    OrderCancelled,
    OrderDelivered,
    OrderFulfilled,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
    OrderReturned,
    OrderUpdated,
)
from shared.db.unit_of_work import UnitOfWork
from shared.money import Money

OrderEvent = (
    OrderPaid
    | OrderFulfilled
    | OrderDelivered
    | OrderCancelled
    | OrderRefunded
    | OrderReturned
    | OrderPlaced
    | OrderUpdated
)


@dataclass(frozen=True, slots=True)
class IncomingOrder:
    """What was told of an order, and whose it is; parts that are not told stay as they are."""

    customer_id: UUID
    content: OrderContent
    lines: tuple[OrderLine, ...]
    parts: tuple[OrderPart, ...] = ()

    @property
    def key(self) -> Key:
        """What makes two deliveries speak of one order."""
        return self.content.key


@dataclass(frozen=True, slots=True)
class OrderPartsTold:
    """News of payments, refunds, returns, fulfillments of an order that is known."""

    key: Key
    parts: tuple[OrderPart, ...]


@dataclass(frozen=True, slots=True)
class OrderCancellation:
    """An order was called off."""

    key: Key
    reason: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class OrderRemoval:
    """An order is gone from the system it came from."""

    key: Key
    at: datetime


OrderNews = IncomingOrder | OrderPartsTold | OrderCancellation | OrderRemoval


@dataclass(frozen=True, slots=True)
class OrderChange:
    """An order before and after; without a before it is new."""

    before: OrderRecord | None
    after: OrderRecord


class OrderFollower(Protocol):
    """Whoever has something to do in the unit of work in which orders come or change."""

    async def follow(self, changes: Sequence[OrderChange]) -> None:
        """Do it; the customers of the orders are locked, and the orders are kept."""
        ...


class OrderKeeper:
    """Keeps any number of orders of locked customers, with a handful of statements."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        orders: OrderRepository,
        timeline: TimelineRepository,
        changes: CustomerChanges,
        shop: Shop,
        followers: Sequence[OrderFollower] = (),
        most_parts: int | None = None,
    ) -> None:
        self._uow = uow
        self._most_parts = most_parts
        self._followers = followers
        self._orders = orders
        self._parts = OrderPartRepository(uow)
        self._timeline = timeline
        self._changes = changes
        self._shop = shop

    async def keep(self, news: Sequence[OrderNews]) -> dict[Key, tuple[OrderRecord, bool]]:
        """The orders spoken of, by key, as they are now; True for those that are new.

        Older news than what is known changes nothing. Changes of customers are applied, not saved.
        Raises OrderJustArrived when another transaction has kept one of them meanwhile,
        TooManyOrderParts when an order would have more of a kind than was said to be the most.
        """
        named = {item.customer_id for item in news if isinstance(item, IncomingOrder)}
        people = {self._changes[customer_id].id for customer_id in named}
        stored, tallies = await self._orders.look({item.key for item in news}, people)
        known_parts = await self._known_parts(news, stored)
        told, parts = self._told(news, stored, known_parts)
        current = {key: _one_version_after(stored.get(key), order) for key, order in told.items()}
        placed = [order for key, order in current.items() if key not in stored]
        changed = [
            order for key, order in current.items() if key in stored and order != stored[key]
        ]
        changes = [OrderChange(stored.get(order.key), order) for order in (*placed, *changed)]
        part_changes = [
            (current[key], change)
            for key, after in parts.items()
            for change in after.changes_since(known_parts.get(key, OrderParts()))
        ]
        entries = [entry for change in changes for entry in _entries(change)]
        entries += [entry for order, part in part_changes for entry in _part_entries(order, part)]
        entries += await self._recount(changes, current, tallies)
        await self._orders.add(placed, entries)
        await self._orders.save(changed)
        await self._parts.put((order.id, change.after) for order, change in part_changes)
        if not placed:
            await self._timeline.add(entries)
        self._announce(changes)
        for follower in self._followers if changes else ():
            await follower.follow(changes)
        return {key: (order, key not in stored) for key, order in current.items()}

    async def _known_parts(
        self, news: Iterable[OrderNews], stored: Mapping[Key, OrderRecord]
    ) -> dict[Key, OrderParts]:
        """The parts so far of the orders of whose parts there are news."""
        told = {i.key for i in news if isinstance(i, IncomingOrder | OrderPartsTold) and i.parts}
        ids = {stored[key].id: key for key in told if key in stored and stored[key].has_parts}
        found = await self._parts.of_orders(ids)
        return {ids[order_id]: parts for order_id, parts in found.items()}

    def _told(
        self,
        news: Iterable[OrderNews],
        stored: Mapping[Key, OrderRecord],
        known_parts: Mapping[Key, OrderParts],
    ) -> tuple[dict[Key, OrderRecord], dict[Key, OrderParts]]:
        now = self._uow.clock.now()
        current, parts = dict(stored), dict(known_parts)
        for item in news:
            before = current.get(item.key)
            if isinstance(item, IncomingOrder):
                current[item.key] = _put(before, item, now)
            elif before is None:
                continue
            elif isinstance(item, OrderRemoval):
                if before.deleted_at is None:
                    changed_at = max(before.changed_at, item.at)
                    current[item.key] = replace(
                        before, deleted_at=item.at, changed_at=changed_at, updated_at=now
                    )
            elif isinstance(item, OrderCancellation):
                current[item.key] = before.cancelled(reason=item.reason, at=item.at, now=now)
            if isinstance(item, IncomingOrder | OrderPartsTold) and item.parts:
                known = parts.get(item.key, OrderParts())
                after = known.after(item.parts)
                if self._most_parts is not None and after.most() > self._most_parts:
                    raise TooManyOrderParts
                if after != known:
                    parts[item.key] = after
                    current[item.key] = current[item.key].with_parts(after, at=now)
        return current, parts

    def _announce(self, changes: Iterable[OrderChange]) -> None:
        for change in changes:
            state = change.after.state()
            whole = OrderPlaced if change.before is None else OrderUpdated
            for event in (whole, *_steps(change)):
                self._uow.append(event(order=state), key=state.customer_id)

    async def _recount(
        self,
        changes: Sequence[OrderChange],
        current: Mapping[Key, OrderRecord],
        tallies: dict[UUID, Tally],
    ) -> list[Entry]:
        """Make the figures of customers what their orders add up to; what there is to tell.

        `tallies` has what their other orders add up to, of people who are named in the news.
        """
        owners = {change.after.customer_id for change in changes}
        owners |= {change.before.customer_id for change in changes if change.before is not None}
        if not owners:
            return []
        await self._changes.lock(owners)
        people = {self._changes[owner].id for owner in owners}
        tallies |= await self._orders.tallies_without(current.keys(), people - tallies.keys())
        roots = await self._roots_of(current.values())
        for order in current.values():
            if roots[order.customer_id] in people:
                tallies[roots[order.customer_id]].add(order)
        entries, converted = [], []
        for customer_id in sorted(people):
            figures = tallies[customer_id].figures()
            before = self._changes[customer_id]
            self._changes.apply(customer_id, figure_columns(figures, self._shop))
            if figures.ever_paid and before.stage == "lead":
                self._changes.apply(customer_id, {"stage": "customer"})
                converted.append(customer_id)
                entries.append(_converted_entry(customer_id, self._uow.clock.now()))
        await convert_leads(self._uow, converted, self._uow.clock.now())
        return entries

    async def _roots_of(self, orders: Collection[OrderRecord]) -> dict[UUID, UUID]:
        """Who stands for the records that orders came through."""
        named = {order.customer_id for order in orders}
        known = {each: self._changes[each].id for each in named if each in self._changes}
        return known | await Families(self._uow).roots(named - known.keys())


def _columns(content: OrderContent) -> dict[str, Any]:
    return {name: getattr(content, name) for name in CONTENT_COLUMNS}


def _put(before: OrderRecord | None, item: IncomingOrder, now: datetime) -> OrderRecord:
    if before is None:
        return OrderRecord.placed(
            item.content, customer_id=item.customer_id, lines=item.lines, at=now
        )
    return before.updated(
        _columns(item.content), customer_id=item.customer_id, lines=item.lines, at=now
    )


def _one_version_after(stored: OrderRecord | None, order: OrderRecord) -> OrderRecord:
    """The order with one version more than is stored, however often it was changed since."""
    if stored is None:
        return replace(order, version=1)
    return order if order == stored else replace(order, version=stored.version + 1)


def figure_columns(figures: Figures, shop: Shop) -> dict[str, Any]:
    """What a customer's orders say of the customer."""
    currency = figures.currency or shop.currency
    columns = asdict(figures)
    del columns["ever_paid"]
    tier = shop.values.tier(figures.total_spent_minor, currency)
    return {**columns, "currency": currency, "value_tier": tier}


def _steps(change: OrderChange) -> Iterator[type[OrderEvent]]:
    """What has come to pass with a change, besides the change."""
    before, after = change.before, change.after
    if after.deleted_at:
        return
    if after.paid and not (before and before.paid):
        yield OrderPaid
    if after.shipped_at and not (before and before.shipped_at):
        yield OrderFulfilled
    if after.delivered_at and not (before and before.delivered_at):
        yield OrderDelivered
    if after.status == "cancelled" and not (before and before.status == "cancelled"):
        yield OrderCancelled
    if after.refunded_minor > (before.refunded_minor if before else 0):
        yield OrderRefunded
    if after.returns_count > (before.returns_count if before else 0):
        yield OrderReturned


_ENTRIES: Mapping[type[OrderEvent], str] = {
    OrderPaid: "order.paid",
    OrderFulfilled: "order.fulfilled",
    OrderDelivered: "order.delivered",
    OrderCancelled: "order.cancelled",
    OrderRefunded: "order.refunded",
}


def _entries(change: OrderChange) -> Iterator[Entry]:
    """What is worth telling of a change. An order that comes paid is placed, and no more."""
    before, after = change.before, change.after
    if before is None:
        yield _entry(after, "order.placed", at=after.placed_at)
    elif after.deleted_at and not before.deleted_at:
        yield _entry(after, "order.deleted", at=after.deleted_at)
    elif after.status == "completed" and before.status != "completed":
        yield _entry(after, "order.completed", at=after.changed_at)
    at = {
        OrderFulfilled: after.shipped_at,
        OrderDelivered: after.delivered_at,
        OrderCancelled: after.cancelled_at,
    }
    for step in _steps(change):
        if step in _ENTRIES and not (before is None and step in (OrderPaid, OrderRefunded)):
            yield _entry(after, _ENTRIES[step], at=at.get(step) or after.changed_at)


def _part_entries(order: OrderRecord, change: PartChange) -> Iterator[Entry]:
    """What is worth telling of a return; of other parts the order's own entries tell."""
    part = change.after
    if not isinstance(part, OrderReturn):
        return
    before = change.before
    if isinstance(before, OrderReturn) and before.status == part.status:
        return
    kind = {"requested": "return_requested", "received": "returned", "refused": "return_refused"}
    at = {"requested": part.requested_at, "received": part.received_at}.get(part.status)
    yield _entry(order, f"order.{kind[part.status]}", at=at or part.changed_at)


def _entry(order: OrderRecord, kind: str, *, at: datetime) -> Entry:
    total = Money(order.total_minor, order.currency)
    data = {
        "order_id": str(order.id),
        "number": order.number,
        "total": {"amount": total.decimal_string(), "currency": order.currency},
        "source": order.source,
    }
    return Entry(customer_id=order.customer_id, type=kind, occurred_at=at, data=data)


def _converted_entry(customer_id: UUID, at: datetime) -> Entry:
    return Entry(customer_id=customer_id, type="customer.converted", occurred_at=at)
