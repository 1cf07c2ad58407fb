"""What a platform says of an order, as this service keeps it."""

from datetime import datetime
from typing import Any

from services.customer.customers.identities import platform_scope
from services.customer.orders.parts import (
    MOST_PARTS,
    OrderFulfillment,
    OrderPart,
    OrderPayment,
    OrderRefund,
    OrderReturn,
)
from services.customer.orders.record import OrderContent, OrderLine
from shared.contracts.gateway import (
    PlatformAddress,
    PlatformOrder,
    PlatformOrderLine,
    PlatformOrigin,
    PlatformPartLine,
)
from shared.text import tidy

_MAX_TEXT, _MAX_ID = 255, 200


def order_key(order: PlatformOrder, origin: PlatformOrigin) -> tuple[str, str]:
    """What makes two deliveries speak of one order."""
    scope = platform_scope(origin.source, origin.connection_id)
    return scope, tidy(order.external_id, max_length=_MAX_ID) or "?"


def order_content(order: PlatformOrder, origin: PlatformOrigin) -> OrderContent:
    """An order's own columns."""
    scope, external_id = order_key(order, origin)
    return OrderContent(
        source=origin.source,
        scope=scope,
        external_id=external_id,
        connection_id=origin.connection_id,
        number=tidy(order.number, max_length=_MAX_TEXT) or external_id,
        status=order.status,
        financial_status=order.financial_status,
        fulfillment_status=tidy(order.fulfillment_status, max_length=_MAX_TEXT),
        channel=tidy(order.channel, max_length=_MAX_TEXT),
        store=tidy(order.store, max_length=_MAX_TEXT),
        staff=tidy(order.staff, max_length=_MAX_TEXT),
        currency=order.currency,
        total_minor=order.total_minor,
        subtotal_minor=order.subtotal_minor,
        discount_minor=order.discount_minor,
        shipping_minor=order.shipping_minor,
        tax_minor=order.tax_minor,
        refunded_minor=order.refunded_minor,
        placed_at=order.placed_at,
        changed_at=order.changed_at,
        cancelled_at=order.cancelled_at,
        cancel_reason=tidy(order.cancel_reason, max_length=_MAX_TEXT),
        details=_details(order),
    )


def order_parts(order: PlatformOrder, *, now: datetime) -> tuple[OrderPart, ...]:
    """What belongs to an order: payments, refunds, returns, fulfillments."""
    base: dict[str, Any] = {"created_at": now, "updated_at": now}
    told = order.changed_at
    payments = (
        OrderPayment(
            **base,
            external_id=each.external_id,
            changed_at=each.changed_at or told,
            status=each.status,
            amount_minor=each.amount_minor,
            method=each.method,
            reference=each.reference,
            paid_at=each.paid_at,
        )
        for each in order.payments[:MOST_PARTS]
    )
    refunds = (
        OrderRefund(
            **base,
            external_id=each.external_id,
            changed_at=told,
            amount_minor=each.amount_minor,
            reason=each.reason,
            lines=[_part_line(line) for line in each.lines],
            refunded_at=each.refunded_at or told,
            supposed=frozenset() if each.refunded_at else frozenset({"refunded_at"}),
        )
        for each in order.refunds[:MOST_PARTS]
    )
    returns = (
        OrderReturn(
            **base,
            external_id=each.external_id,
            changed_at=told,
            status=each.status,
            reason=each.reason,
            lines=[_part_line(line) for line in each.lines],
            restock=each.restock,
            requested_at=each.requested_at or told,
            supposed=frozenset() if each.requested_at else frozenset({"requested_at"}),
            received_at=each.received_at,
        )
        for each in order.returns[:MOST_PARTS]
    )
    fulfillments = (
        OrderFulfillment(
            **base,
            external_id=each.external_id,
            changed_at=each.changed_at or told,
            status=each.status,
            carrier=each.carrier,
            tracking_number=each.tracking_number,
            tracking_url=each.tracking_url,
            lines=[_part_line(line) for line in each.lines],
            shipped_at=each.shipped_at,
            delivered_at=each.delivered_at,
        )
        for each in order.fulfillments[:MOST_PARTS]
    )
    return (*payments, *refunds, *returns, *fulfillments)


def _details(order: PlatformOrder) -> dict[str, Any] | None:
    """What is shown and never looked for; without what was not said."""
    said: dict[str, Any] = {
        "note": order.note,
        "tags": list(order.tags),
        "discount_codes": [
            {"code": code.code, "amount_minor": code.amount_minor} for code in order.discount_codes
        ],
        "billing_address": _address(order.billing_address),
        "shipping_address": _address(order.shipping_address),
        "further_shipping_addresses": [
            _address(each) for each in order.further_shipping_addresses[:MOST_PARTS]
        ],
        "contact_email": order.contact_email,
        "contact_phone": order.contact_phone,
        "landing_page": order.landing_page,
        "referrer": order.referrer,
    }
    return {name: value for name, value in said.items() if value} or None


def _address(address: PlatformAddress | None) -> dict[str, Any] | None:
    if address is None:
        return None
    return address.model_dump(exclude_none=True, exclude={"external_id", "is_default"})


def _part_line(line: PlatformPartLine) -> dict[str, Any]:
    return line.model_dump(exclude_none=True)


def order_lines(order: PlatformOrder) -> tuple[OrderLine, ...]:
    """An order's lines."""
    return tuple(_line(line) for line in order.lines)


def _line(line: PlatformOrderLine) -> OrderLine:
    return OrderLine(
        title=tidy(line.title, max_length=_MAX_TEXT) or "?",
        quantity=line.quantity,
        unit_price_minor=line.unit_price_minor,
        total_minor=line.total_minor,
        external_id=tidy(line.external_id, max_length=_MAX_ID),
        product_id=tidy(line.product_id, max_length=_MAX_ID),
        variant_id=tidy(line.variant_id, max_length=_MAX_ID),
        sku=tidy(line.sku, max_length=_MAX_ID),
        discount_minor=line.discount_minor,
        tax_minor=line.tax_minor,
        category=tidy(line.category, max_length=_MAX_TEXT),
        vendor=tidy(line.vendor, max_length=_MAX_TEXT),
    )
