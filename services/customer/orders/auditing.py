"""What the audit log says of a change of an order: its fields as clients read them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from services.customer.orders.news import OrderChange
from services.customer.orders.part_schemas import (
    OrderFulfillmentRead,
    OrderPaymentRead,
    OrderRefundRead,
    OrderReturnRead,
)
from services.customer.orders.parts import (
    OrderFulfillment,
    OrderPart,
    OrderParts,
    OrderPayment,
    OrderRefund,
    OrderReturn,
    PartChange,
)
from services.customer.orders.read_schemas import order_json
from services.customer.orders.record import OrderRecord
from shared.audit.trail import AuditEntry, differences
from shared.contracts.audit import AuditSubject, FieldChange

_PartRead = OrderPaymentRead | OrderRefundRead | OrderReturnRead | OrderFulfillmentRead
_KINDS: Final[Mapping[type[OrderPart], tuple[str, type[_PartRead]]]] = {
    OrderPayment: ("payments", OrderPaymentRead),
    OrderRefund: ("refunds", OrderRefundRead),
    OrderReturn: ("returns", OrderReturnRead),
    OrderFulfillment: ("fulfillments", OrderFulfillmentRead),
}
_BOOKKEEPING: Final = frozenset(
    {"object", "order_id", "changed_at", "created_at", "updated_at", "version"}
)


def order_entry(
    order: OrderRecord, changes: Iterable[OrderChange], parts: Sequence[tuple[UUID, PartChange]]
) -> AuditEntry:
    """That an order was written, and where it was known before, what of it has changed.

    Of its parts those are named that are new or have changed.
    """
    change = next((each for each in changes if each.after.id == order.id), None)
    before = change.before if change is not None else None
    owners = dict.fromkeys([order.customer_id, *([before.customer_id] if before else [])])
    subjects = [
        AuditSubject(object="order", id=str(order.id)),
        *(AuditSubject(object="customer", id=str(owner)) for owner in owners),
    ]
    if change is not None and before is None:
        return AuditEntry(subjects)
    of_parts = _part_changes(order, [each for id_, each in parts if id_ == order.id])
    return AuditEntry(subjects, {**(_changes(before, order) if before else {}), **of_parts})


def _changes(before: OrderRecord, after: OrderRecord) -> dict[str, FieldChange]:
    return differences(_fields(before), _fields(after))


def _fields(order: OrderRecord) -> dict[str, Any]:
    return _without_bookkeeping(order_json(order, OrderParts()))


def _part_changes(order: OrderRecord, changes: Sequence[PartChange]) -> dict[str, FieldChange]:
    """By kind, the parts that have changed: as they were, and as they are."""
    olds: dict[str, list[dict[str, Any]]] = {}
    news: dict[str, list[dict[str, Any]]] = {}
    for change in changes:
        name, read = _KINDS[type(change.after)]
        news.setdefault(name, []).append(_shown(read, change.after, order))
        known = olds.setdefault(name, [])
        if change.before is not None:
            known.append(_shown(read, change.before, order))
    return differences(olds, news)


def _shown(read: type[_PartRead], part: OrderPart, order: OrderRecord) -> dict[str, Any]:
    return _without_bookkeeping(read.of(part, order).model_dump())


def _without_bookkeeping(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in _BOOKKEEPING}
