"""What a platform says of an order, as this service keeps it."""

from services.customer.customers.identities import platform_scope
from services.customer.orders.record import OrderContent, OrderLine
from shared.contracts.gateway import PlatformOrder, PlatformOrderLine, PlatformOrigin
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
        currency=order.currency,
        total_minor=order.total_minor,
        subtotal_minor=order.subtotal_minor,
        discount_minor=order.discount_minor,
        shipping_minor=order.shipping_minor,
        tax_minor=order.tax_minor,
        refunded_minor=order.refunded_minor,
        placed_at=order.placed_at,
        changed_at=order.changed_at,
    )


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
    )
