"""What WooCommerce says (webhooks of REST API v3). Pure functions.

Blanks are empty strings, `customer_id: 0` is a guest, `*_gmt` is UTC without saying so.
"""

import html
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from gateway.platforms.reading import (
    MAX_NOTE,
    MAX_PARTS,
    Payload,
    as_id,
    as_instant,
    as_minor,
    as_object,
    as_objects,
    as_quantity,
    as_text,
    as_words,
    first_text,
    full_name,
    required_currency,
    required_id,
    required_minor,
    within_range,
)
from gateway.platforms.told import (
    Delivered,
    FinancialStatus,
    Ignored,
    OrderStatus,
    Reader,
    Told,
    recognisable,
    told_customer,
    told_order,
    told_order_deleted,
)
from shared.contracts.gateway import (
    PlatformAddress,
    PlatformDiscountCode,
    PlatformFulfillment,
    PlatformIdentity,
    PlatformOrder,
    PlatformOrderLine,
    PlatformPayment,
    PlatformRefund,
)

_STATUS: Final[Mapping[str, OrderStatus]] = {
    "completed": "completed",
    "refunded": "completed",
    "cancelled": "cancelled",
    "failed": "cancelled",
}
# What becomes of an order that nobody has paid; a paid one is paid or refunded.
_UNPAID: Final[Mapping[str, FinancialStatus]] = {
    "cancelled": "voided",
    "failed": "voided",
    "completed": "paid",
}


def _customer(delivered: Delivered) -> Told:
    payload = delivered.payload
    customer_id = required_id(payload)
    billing, shipping = as_object(payload.get("billing")), as_object(payload.get("shipping"))
    identity = _identity(
        billing,
        shipping,
        external_id=customer_id,
        email=first_text(payload.get("email"), billing.get("email")),
        name=full_name(payload) or first_text(payload.get("username")),
        verified=_accounts_verified(delivered),
    )
    return told_customer(delivered, identity, changed_at=_changed_at(delivered))


def _customer_deleted(delivered: Delivered) -> Told:
    identity = PlatformIdentity(external_id=required_id(delivered.payload))
    return told_customer(delivered, identity, changed_at=delivered.told_at, deleted=True)


def _order(delivered: Delivered) -> Told | Ignored:
    payload = delivered.payload
    status = as_text(payload.get("status")) or ""
    if status in ("checkout-draft", "auto-draft"):
        return Ignored("order_is_a_draft")
    if status == "trash":
        return _order_deleted(delivered)
    order_id = required_id(payload)
    currency = required_currency(payload)
    changed_at = _changed_at(delivered)
    total = required_minor(payload, "total", currency)
    refunded = _refunded(payload, currency, status=status, total=total)
    order = PlatformOrder(
        external_id=order_id,
        number=as_text(payload.get("number")) or order_id,
        currency=currency,
        total_minor=total,
        subtotal_minor=_sum(payload.get("line_items"), "subtotal", currency),
        discount_minor=as_minor(payload.get("discount_total"), currency) or 0,
        shipping_minor=as_minor(payload.get("shipping_total"), currency) or 0,
        tax_minor=as_minor(payload.get("total_tax"), currency) or 0,
        refunded_minor=refunded,
        status=_STATUS.get(status, "open"),
        financial_status=_financial_status(payload, status, total=total, refunded=refunded),
        # WooCommerce knows no fulfilment of its own: its last status says it all.
        fulfillment_status="fulfilled" if status == "completed" else None,
        channel=as_text(payload.get("created_via")),
        placed_at=_moment(payload, "date_created") or changed_at,
        changed_at=changed_at,
        cancelled_at=changed_at if status in ("cancelled", "failed") else None,
        cancel_reason="failed" if status == "failed" else None,
        note=as_words(payload.get("customer_note")),
        discount_codes=_coupons(payload, currency),
        billing_address=_address(payload.get("billing")),
        shipping_address=_address(payload.get("shipping")),
        contact_email=as_text(as_object(payload.get("billing")).get("email")),
        landing_page=_attribution(payload, "session_entry"),
        referrer=_attribution(payload, "referrer"),
        payments=_payments(payload, status=status, total=total),
        refunds=_refunds(payload, currency),
        fulfillments=_fulfillments(payload, changed_at, status=status),
        lines=tuple(_line(line, currency) for line in as_objects(payload.get("line_items"))),
        customer=_buyer(delivered),
    )
    return told_order(delivered, order)


def _payments(order: Payload, *, status: str, total: int) -> tuple[PlatformPayment, ...]:
    """An order is paid once, for its total."""
    method = first_text(order.get("payment_method_title"), order.get("payment_method"))
    paid_at = _moment(order, "date_paid")
    if not total or (method is None and paid_at is None):
        return ()
    failed = status in ("cancelled", "failed")
    return (
        PlatformPayment(
            external_id="order",
            status="paid" if paid_at else "voided" if failed else "pending",
            amount_minor=total,
            method=method,
            reference=as_text(order.get("transaction_id")),
            paid_at=paid_at,
        ),
    )


def _refunds(order: Payload, currency: str) -> tuple[PlatformRefund, ...]:
    """Refunds of an order are listed with negative totals, and without their time."""
    return tuple(
        PlatformRefund(
            external_id=found,
            amount_minor=abs(as_minor(each.get("total"), currency) or 0),
            reason=as_words(each.get("reason")),
        )
        for each in as_objects(order.get("refunds"))[:MAX_PARTS]
        if (found := as_id(each.get("id")))
    )


def _fulfillments(
    order: Payload, changed_at: datetime, *, status: str
) -> tuple[PlatformFulfillment, ...]:
    """WooCommerce knows no parcels: what is completed has been sent."""
    if status != "completed":
        return ()
    sent_at = _moment(order, "date_completed") or changed_at
    return (PlatformFulfillment(external_id="order", status="shipped", shipped_at=sent_at),)


def _coupons(order: Payload, currency: str) -> tuple[PlatformDiscountCode, ...]:
    return tuple(
        PlatformDiscountCode(code=code, amount_minor=as_minor(each.get("discount"), currency))
        for each in as_objects(order.get("coupon_lines"))[:50]
        if (code := as_text(each.get("code")))
    )


def _attribution(order: Payload, name: str) -> str | None:
    """Where the visit came from, as WooCommerce keeps it among an order's meta data."""
    wanted = f"_wc_order_attribution_{name}"
    found = (m.get("value") for m in as_objects(order.get("meta_data")) if m.get("key") == wanted)
    return as_text(next(found, None), max_length=MAX_NOTE)


def _address(value: object) -> PlatformAddress | None:
    """An address; None when all of it is blank."""
    said = as_object(value)
    lines = [as_text(said.get("address_1")), as_text(said.get("address_2"))]
    address = PlatformAddress(
        name=full_name(said),
        company=as_text(said.get("company")),
        phone=as_text(said.get("phone")),
        street=as_text(", ".join(line for line in lines if line)),
        city=as_text(said.get("city")),
        province=as_text(said.get("state")),
        country=as_text(said.get("country")),
        postal_code=as_text(said.get("postcode")),
    )
    told = address.model_dump(exclude={"is_default", "country"}, exclude_none=True)
    return address if told else None


def _addresses(billing: Payload, shipping: Payload) -> tuple[PlatformAddress, ...]:
    named = (("billing", billing), ("shipping", shipping))
    read = [(name, address) for name, said in named if (address := _address(said)) is not None]
    return tuple(
        address.model_copy(update={"external_id": name, "is_default": place == 0})
        for place, (name, address) in enumerate(read)
    )


def _order_deleted(delivered: Delivered) -> Told:
    return told_order_deleted(delivered, required_id(delivered.payload))


def _buyer(delivered: Delivered) -> PlatformIdentity | None:
    payload = delivered.payload
    billing, shipping = as_object(payload.get("billing")), as_object(payload.get("shipping"))
    customer_id = as_id(payload.get("customer_id"))
    identity = _identity(
        billing,
        shipping,
        external_id=customer_id,
        email=as_text(billing.get("email")),
        name=full_name(billing) or full_name(shipping),
        # A guest types any address; only who has an account can have confirmed one.
        verified=customer_id is not None and _accounts_verified(delivered),
    )
    # The order's own addresses are told with the order; those of the account may be others.
    return recognisable(identity.model_copy(update={"addresses": ()}))


def _identity(
    billing: Payload,
    shipping: Payload,
    *,
    external_id: str | None,
    email: str | None,
    name: str | None,
    verified: bool,
) -> PlatformIdentity:
    address = billing if first_text(billing.get("city"), billing.get("country")) else shipping
    return PlatformIdentity(
        external_id=external_id,
        email=email,
        email_verified=verified and email is not None,
        phone=first_text(billing.get("phone"), shipping.get("phone")),
        name=name,
        city=as_text(address.get("city")),
        province=as_text(address.get("state")),
        country=as_text(address.get("country")),
        company=first_text(billing.get("company"), shipping.get("company")),
        addresses=_addresses(billing, shipping),
    )


def _accounts_verified(delivered: Delivered) -> bool:
    """WooCommerce itself confirms no address; a shop may say that it does."""
    return delivered.options.get("emails_verified") is True


def _changed_at(delivered: Delivered) -> datetime:
    payload = delivered.payload
    found = _moment(payload, "date_modified") or _moment(payload, "date_created")
    return found or delivered.told_at


def _moment(payload: Payload, name: str) -> datetime | None:
    """The plain field is in the site's own time, which a delivery does not tell."""
    return as_instant(payload.get(f"{name}_gmt"))


def _refunded(payload: Payload, currency: str, *, status: str, total: int) -> int:
    """Refunds are listed with negative totals; a status alone means all of it."""
    listed = abs(_sum(payload.get("refunds"), "total", currency))
    return total if status == "refunded" and not listed else listed


def _sum(items: object, name: str, currency: str) -> int:
    amounts = (as_minor(item.get(name), currency) or 0 for item in as_objects(items))
    return within_range(sum(amounts))


def _financial_status(
    payload: Payload, status: str, *, total: int, refunded: int
) -> FinancialStatus:
    if status == "refunded" or (refunded and refunded >= total):
        return "refunded"
    if refunded:
        return "partially_refunded"
    if as_text(payload.get("date_paid_gmt")) or as_text(payload.get("date_paid")):
        return "paid"
    return _UNPAID.get(status, "pending")


def _line(line: Payload, currency: str) -> PlatformOrderLine:
    sku = as_text(line.get("sku"))
    title = first_text(line.get("name"), sku)
    return PlatformOrderLine(
        external_id=as_id(line.get("id")),
        product_id=as_id(line.get("product_id")),
        variant_id=as_id(line.get("variation_id")),
        sku=sku,
        title=as_text(html.unescape(title)) or "?" if title else "?",
        quantity=as_quantity(line.get("quantity")),
        unit_price_minor=as_minor(line.get("price"), currency) or 0,
        total_minor=as_minor(line.get("total"), currency) or 0,
        discount_minor=_line_discount(line, currency),
        tax_minor=as_minor(line.get("total_tax"), currency),
    )


def _line_discount(line: Payload, currency: str) -> int | None:
    before = as_minor(line.get("subtotal"), currency)
    after = as_minor(line.get("total"), currency)
    return before - after if before is not None and after is not None and before > after else None


READERS: Final[Mapping[str, Reader]] = {
    "customer.created": _customer,
    "customer.updated": _customer,
    "customer.deleted": _customer_deleted,
    "order.created": _order,
    "order.updated": _order,
    "order.restored": _order,
    "order.deleted": _order_deleted,
}
