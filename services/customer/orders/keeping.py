"""Keeping orders: each once, newest news wins, and the customers' figures follow."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from services.customer.customers.changes import CustomerChanges
from services.customer.leads.conversion import convert_leads
from services.customer.orders.record import (
    CONTENT_COLUMNS,
    OrderContent,
    OrderLine,
    OrderRecord,
)
from services.customer.orders.repository import Figures, OrderRepository
from services.customer.tenants.shops import Shop
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import TimelineRepository
from shared.contracts.customer import OrderPlaced, OrderUpdated
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.money import Money

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class IncomingOrder:
    """What was told of an order, and whose it is."""

    customer_id: UUID
    content: OrderContent
    lines: tuple[OrderLine, ...]

    @property
    def key(self) -> Key:
        """What makes two deliveries speak of one order."""
        return self.content.key


@dataclass(frozen=True, slots=True)
class OrderRemoval:
    """An order is gone from the system it came from."""

    key: Key
    at: datetime


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
    ) -> None:
        self._uow = uow
        self._followers = followers
        self._orders = orders
        self._timeline = timeline
        self._changes = changes
        self._shop = shop

    async def keep(
        self, news: Sequence[IncomingOrder | OrderRemoval]
    ) -> dict[Key, tuple[OrderRecord, bool]]:
        """The orders spoken of, by key, as they are now; True for those that are new.

        Older news than what is known changes nothing. Changes of customers are applied, not saved.
        Raises OrderJustArrived when another transaction has kept one of them meanwhile.
        """
        stored = await self._orders.lock({item.key for item in news})
        current = {
            key: _one_version_after(stored.get(key), order)
            for key, order in self._told(news, stored).items()
        }
        placed = [order for key, order in current.items() if key not in stored]
        changed = [
            order for key, order in current.items() if key in stored and order != stored[key]
        ]
        await self._orders.add(placed)
        await self._orders.save(changed)
        self._announce(placed, changed)
        before = [stored[order.key] for order in changed]
        entries = [_placed_entry(order) for order in placed]
        for old, new in zip(before, changed, strict=True):
            entries += _change_entries(old, new)
        entries += await self._recount({o.customer_id for o in (*placed, *changed, *before)})
        await self._timeline.add(entries)
        told = [OrderChange(None, order) for order in placed]
        told += [OrderChange(old, new) for old, new in zip(before, changed, strict=True)]
        for follower in self._followers if told else ():
            await follower.follow(told)
        return {key: (order, key not in stored) for key, order in current.items()}

    def _told(
        self, news: Iterable[IncomingOrder | OrderRemoval], stored: dict[Key, OrderRecord]
    ) -> dict[Key, OrderRecord]:
        now = self._uow.clock.now()
        current = dict(stored)
        for item in news:
            before = current.get(item.key)
            if isinstance(item, OrderRemoval):
                if before is not None and before.deleted_at is None:
                    changed_at = max(before.changed_at, item.at)
                    current[item.key] = replace(
                        before, deleted_at=item.at, changed_at=changed_at, updated_at=now
                    )
            elif before is None:
                current[item.key] = _new_order(item, now)
            else:
                current[item.key] = before.updated(
                    _columns(item.content), customer_id=item.customer_id, lines=item.lines, at=now
                )
        return current

    def _announce(self, placed: Iterable[OrderRecord], changed: Iterable[OrderRecord]) -> None:
        for order in placed:
            self._uow.append(OrderPlaced(order=order.state()), key=order.customer_id)
        for order in changed:
            self._uow.append(OrderUpdated(order=order.state()), key=order.customer_id)

    async def _recount(self, customer_ids: set[UUID]) -> list[Entry]:
        """Make the figures of customers what their orders add up to; what there is to tell."""
        if not customer_ids:
            return []
        await self._changes.lock(customer_ids)
        people = {self._changes[customer_id].id for customer_id in customer_ids}
        entries, converted = [], []
        for customer_id, figures in (await self._orders.figures_of_people(people)).items():
            before = self._changes[customer_id]
            self._changes.apply(customer_id, figure_columns(figures, self._shop))
            if figures.ever_paid and before.stage == "lead":
                self._changes.apply(customer_id, {"stage": "customer"})
                converted.append(customer_id)
                entries.append(_converted_entry(customer_id, self._uow.clock.now()))
        await convert_leads(self._uow, converted, self._uow.clock.now())
        return entries


def _columns(content: OrderContent) -> dict[str, Any]:
    return {name: getattr(content, name) for name in CONTENT_COLUMNS}


def _new_order(item: IncomingOrder, now: datetime) -> OrderRecord:
    return OrderRecord(
        **_columns(item.content),
        id=new_id(),
        customer_id=item.customer_id,
        created_at=now,
        updated_at=now,
        version=1,
        lines=item.lines,
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


def _placed_entry(order: OrderRecord) -> Entry:
    return _entry(order, "order.placed", at=order.placed_at)


def _change_entries(before: OrderRecord, after: OrderRecord) -> Iterator[Entry]:
    """What is worth telling of a change."""
    if after.deleted_at and not before.deleted_at:
        yield _entry(after, "order.deleted", at=after.deleted_at)
        return
    if after.status not in {before.status, "open"}:
        yield _entry(after, f"order.{after.status}", at=after.changed_at)
    if after.paid and not before.paid:
        yield _entry(after, "order.paid", at=after.changed_at)
    if after.refunded_minor > before.refunded_minor:
        yield _entry(after, "order.refunded", at=after.changed_at)


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
