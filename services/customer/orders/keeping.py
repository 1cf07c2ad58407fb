"""Keeping orders: each once, newest news wins, and the customers' figures follow."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.customer.customers.changes import CustomerChanges
from services.customer.leads.conversion import convert_leads
from services.customer.orders.errors import OrderCurrencyMismatch, TooManyOrderParts
from services.customer.orders.figures import Figures, Reckoning
from services.customer.orders.figures_repository import OrderFiguresRepository
from services.customer.orders.news import (
    IncomingOrder,
    OrderCancellation,
    OrderChange,
    OrderFollower,
    OrderNews,
    OrderPartsTold,
    OrderRemoval,
)
from services.customer.orders.part_repository import OrderPartRepository
from services.customer.orders.parts import OrderParts, PartChange
from services.customer.orders.record import (
    CONTENT_COLUMNS,
    Key,
    OrderContent,
    OrderRecord,
    not_ahead,
)
from services.customer.orders.repository import OrderRepository
from services.customer.orders.telling import converted_entry, entries_of, events_of
from services.customer.tenants.shops import Shop
from services.customer.timeline.repository import TimelineRepository
from shared.db.unit_of_work import UnitOfWork

_NO_PARTS: Final = OrderParts()


@dataclass(frozen=True, slots=True)
class Kept:
    """The orders that were spoken of, and what of them has changed."""

    orders: Mapping[Key, tuple[OrderRecord, bool]]
    """By key, as they are now; True for those that are new."""
    changes: Sequence[OrderChange]
    parts: Sequence[tuple[UUID, PartChange]]
    """What changed of parts, each with the id of its order."""


class OrderKeeper:
    """Keeps any number of orders of locked customers, with a handful of statements."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        orders: OrderRepository,
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
        self._figures = OrderFiguresRepository(uow)
        self._timeline = TimelineRepository(uow)
        self._changes = changes
        self._shop = shop

    async def keep(self, news: Sequence[OrderNews], *, are_new: bool = False) -> Kept:
        """The orders spoken of as they are now, and what has changed.

        Older news than what is known changes nothing. Changes of customers are applied, not saved.
        With `are_new` nobody had them a moment ago, and they are not looked for.

        Raises OrderJustArrived when another transaction has kept one of them meanwhile,
        TooManyOrderParts when an order would have more of a kind than was said to be the most,
        OrderCurrencyMismatch for the currency of an order that something was paid for in another.
        """
        stored = {} if are_new else await self._orders.lock({item.key for item in news})
        known_parts = await self._known_parts(news, stored)
        await self._know_owners(news, stored)
        told, parts = self._told(news, stored, known_parts)
        current = {key: _one_version_after(stored.get(key), order) for key, order in told.items()}
        changes = [
            OrderChange(stored.get(key), order)
            for key, order in current.items()
            if _is_changed(stored.get(key), order)
        ]
        await self._orders.put_heard(
            order
            for key, order in current.items()
            if order != stored.get(key) and not _is_changed(stored.get(key), order)
        )
        part_changes = {
            key: after.changes_since(known_parts.get(key, _NO_PARTS))
            for key, after in parts.items()
        }
        entries = [
            entry
            for change in changes
            for entry in entries_of(change, part_changes.get(change.after.key, ()))
        ]
        reckonings = await self._reckon(changes)
        converted = [each for each in reckonings if self._is_converted(each, reckonings[each])]
        entries += [converted_entry(each, self._uow.clock.now()) for each in converted]
        await self._timeline.hand_on(_handed_on(changes))
        consequences = await self._orders.put(changes, entries, converted=converted)
        await self._parts.put(
            (current[key].id, told.after)
            for key, after in parts.items()
            for told in after.heard_since(known_parts.get(key, _NO_PARTS))
        )
        await self._change_customers(reckonings, converted)
        await convert_leads(self._uow, converted, captured=consequences.was_captured)
        for change in changes:
            for event in events_of(change):
                self._uow.append(event, key=change.after.customer_id)
        for follower in self._followers if changes and consequences.earns else ():
            await follower.follow(changes)
        return Kept(
            orders={key: (order, key not in stored) for key, order in current.items()},
            changes=changes,
            parts=[(current[key].id, part) for key, told in part_changes.items() for part in told],
        )

    async def _know_owners(
        self, news: Iterable[OrderNews], stored: Mapping[Key, OrderRecord]
    ) -> None:
        """Of orders that are told of as somebody else's: whether that is the same person."""
        owners: dict[Key, set[UUID]] = {}
        for item in news:
            if isinstance(item, IncomingOrder):
                known = {stored[item.key].customer_id} if item.key in stored else set()
                owners.setdefault(item.key, known).add(item.customer_id)
        several = {each for ids in owners.values() if len(ids) > 1 for each in ids}
        await self._changes.lock(several)

    def _owner(self, before: OrderRecord | None, item: IncomingOrder) -> UUID:
        """Whose an order is now; of one person's records it stays with the one it came through."""
        if before is None or before.customer_id == item.customer_id:
            return item.customer_id
        was, now = (self._changes[each].id for each in (before.customer_id, item.customer_id))
        return before.customer_id if was == now else item.customer_id

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
                current[item.key] = _put(before, item, self._owner(before, item), now)
            elif before is None:
                continue
            elif isinstance(item, OrderRemoval):
                current[item.key] = before.removed(at=item.at, now=now)
            elif isinstance(item, OrderCancellation):
                current[item.key] = before.cancelled(reason=item.reason, at=item.at, now=now)
            if isinstance(item, IncomingOrder | OrderPartsTold) and item.parts:
                known = parts.get(item.key, OrderParts())
                after = parts[item.key] = self._told_parts(known, item, now)
                if after.changes_since(known):
                    current[item.key] = current[item.key].with_parts(after, at=now)
        return current, parts

    def _told_parts(
        self, known: OrderParts, news: IncomingOrder | OrderPartsTold, now: datetime
    ) -> OrderParts:
        after = known.after(
            replace(part, changed_at=not_ahead(part.changed_at, now)) for part in news.parts
        )
        if self._most_parts is not None and after.most() > self._most_parts:
            raise TooManyOrderParts
        return after

    async def _reckon(self, changes: Sequence[OrderChange]) -> dict[UUID, Reckoning]:
        """The figures that changes lead to, of everybody whose orders they are or were."""
        owners = {change.after.customer_id for change in changes}
        owners |= {change.before.customer_id for change in changes if change.before is not None}
        await self._changes.lock(owners)
        people = sorted({self._changes[owner].id for owner in owners})
        reckonings = {each: Reckoning(Figures.of(self._changes[each])) for each in people}
        for change in changes:
            before, after = change.before, change.after
            owner = self._changes[after.customer_id].id
            former = None if before is None else self._changes[before.customer_id].id
            reckonings[owner].take(before if former == owner else None, after)
            if former is not None and former != owner:
                reckonings[former].take(before, None)
        return reckonings

    def _is_converted(self, customer_id: UUID, reckoning: Reckoning) -> bool:
        return reckoning.figures.ever_paid and self._changes[customer_id].stage == "lead"

    async def _change_customers(
        self, reckonings: Mapping[UUID, Reckoning], converted: Collection[UUID]
    ) -> None:
        for customer_id, figures in (await self._settled(reckonings)).items():
            columns = figures.columns(self._shop)
            if customer_id in converted:
                columns["stage"] = "customer"
            self._changes.apply(customer_id, columns)

    async def _settled(self, reckonings: Mapping[UUID, Reckoning]) -> dict[UUID, Figures]:
        """The figures of customers, whose orders are kept by now and tell what was left open."""
        open_ends = [each for each, one in reckonings.items() if one.left_open == "ends"]
        for customer_id, ends in (await self._figures.ends(open_ends)).items():
            reckonings[customer_id].settle(ends)
        unknown = [each for each, one in reckonings.items() if one.left_open == "everything"]
        recounted = await self._figures.of_people(unknown)
        return {each: one.figures for each, one in reckonings.items()} | recounted


def _handed_on(changes: Iterable[OrderChange]) -> list[tuple[UUID, UUID, UUID]]:
    """The orders that are somebody else's now: the order, whose it was, whose it is."""
    return [
        (change.after.id, change.before.customer_id, change.after.customer_id)
        for change in changes
        if change.before and change.before.customer_id != change.after.customer_id
    ]


def _columns(content: OrderContent) -> dict[str, Any]:
    return {name: getattr(content, name) for name in CONTENT_COLUMNS}


def _put(
    before: OrderRecord | None, item: IncomingOrder, owner_id: UUID, now: datetime
) -> OrderRecord:
    content = replace(item.content, changed_at=not_ahead(item.content.changed_at, now))
    if before is None:
        return OrderRecord.placed(content, customer_id=owner_id, lines=item.lines, at=now)
    is_news = content.changed_at >= before.changed_at
    if is_news and before.has_parts and content.currency != before.currency:
        # What was paid and given back is of so much money in the currency that it was told in.
        raise OrderCurrencyMismatch(before.currency, "/body/total/currency")
    known = {} if item.is_dated else {"placed_at": before.placed_at}
    return before.updated(
        {**_columns(content), **known}, customer_id=owner_id, lines=item.lines, at=now
    )


def _one_version_after(stored: OrderRecord | None, order: OrderRecord) -> OrderRecord:
    """The order with one version more than is stored, however often it was changed since."""
    if stored is None:
        return order if order.version == 1 else replace(order, version=1)
    is_changed = _is_changed(stored, order)
    return replace(order, version=stored.version + 1) if is_changed else order


def _is_changed(stored: OrderRecord | None, order: OrderRecord) -> bool:
    """Whether there is more to it than that it was heard of again."""
    return stored is None or not order.says_the_same_as(stored)
