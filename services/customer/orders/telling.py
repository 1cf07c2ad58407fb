"""What is told of changes of orders: events to other services, entries of timelines. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.customer.orders.news import OrderChange
from services.customer.orders.parts import OrderRefund, OrderReturn, PartChange
from services.customer.orders.record import OrderRecord, not_ahead
from services.customer.timeline.entries import Entry
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

_ENTRIES: Mapping[type[OrderEvent], str] = {
    OrderPaid: "order.paid",
    OrderFulfilled: "order.fulfilled",
    OrderDelivered: "order.delivered",
    OrderCancelled: "order.cancelled",
    OrderRefunded: "order.refunded",
}


def events_of(change: OrderChange) -> Iterator[OrderEvent]:
    """What other services are told of a change."""
    state = change.after.state()
    whole = OrderPlaced if change.before is None else OrderUpdated
    for event in (whole, *_steps(change)):
        yield event(order=state)


def entries_of(change: OrderChange, parts: Sequence[PartChange] = ()) -> Iterator[Entry]:
    """What is worth telling of a change, and of what has changed of the order's parts with it.

    Of an order that comes paid only that it was placed.
    """
    before, after = change.before, change.after
    if before is None:
        yield _entry(after, "order.placed", at=after.placed_at)
    elif after.deleted_at and not before.deleted_at:
        yield _entry(after, "order.deleted", at=after.deleted_at)
    elif after.status == "completed" and before.status != "completed":
        yield _entry(after, "order.completed", at=after.changed_at)
    at = {
        OrderPaid: after.paid_since,
        OrderFulfilled: after.shipped_at,
        OrderDelivered: after.delivered_at,
        OrderCancelled: after.cancelled_at,
        OrderRefunded: _refunded_at(after, parts),
    }
    for step in _steps(change):
        if step in _ENTRIES and not (before is None and step is OrderPaid):
            yield _entry(after, _ENTRIES[step], at=at[step] or after.changed_at)
    for part in parts:
        yield from _part_entries_of(after, part)


def _refunded_at(order: OrderRecord, parts: Iterable[PartChange]) -> datetime:
    """When money went back: by what the source said of the order, or the last of its refunds."""
    refunds = [part.after for part in parts if isinstance(part.after, OrderRefund)]
    told = [not_ahead(refund.refunded_at, order.updated_at) for refund in refunds]
    return max([order.changed_at, *told])


def _part_entries_of(order: OrderRecord, change: PartChange) -> Iterator[Entry]:
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


def converted_entry(customer_id: UUID, at: datetime) -> Entry:
    """That a lead has become a customer."""
    return Entry(customer_id=customer_id, type="customer.converted", occurred_at=at)


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


def _entry(order: OrderRecord, kind: str, *, at: datetime) -> Entry:
    total = Money(order.total_minor, order.currency)
    data = {
        "order_id": str(order.id),
        "number": order.number,
        "total": {"amount": total.decimal_string(), "currency": order.currency},
        "source": order.source,
    }
    return Entry(customer_id=order.customer_id, type=kind, occurred_at=at, data=data)
