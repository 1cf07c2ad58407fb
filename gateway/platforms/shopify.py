"""What Shopify says (webhooks of API versions 2023-01 to 2024-10). Pure functions.

Money is in the shop's currency, in strings; times carry the shop's offset; a customer may be null.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from gateway.platforms.reading import (
    MAX_LINES,
    MAX_NAME,
    MAX_PARTS,
    Payload,
    PayloadNotUnderstood,
    as_id,
    as_instant,
    as_minor,
    as_object,
    as_objects,
    as_quantity,
    as_tags,
    as_text,
    as_words,
    first_text,
    full_name,
    required_id,
    within_range,
)
from gateway.platforms.shopify_words import (
    FINANCIAL,
    PaymentStatus,
    Words,
    addresses_of,
    order_of,
    part_lines,
    readers_of,
    told_by_the_order,
)
from gateway.platforms.told import (
    Consent,
    Delivered,
    Ignored,
    OrderStatus,
    Reader,
    Told,
    recognisable,
    told_customer,
    told_order,
    told_order_deleted,
    told_privacy_request,
    told_shop_redacted,
)
from shared.contracts.gateway import (
    PlatformIdentity,
    PlatformOrder,
    PlatformOrderLine,
    PlatformPayment,
    PlatformReturn,
)

_PAID: Final[Mapping[str, PaymentStatus]] = {
    "pending": "pending",
    "voided": "voided",
    "authorized": "authorized",
    "partially_paid": "paid",
    "paid": "paid",
    "partially_refunded": "paid",
    "refunded": "paid",
}
_CONSENT: Final[Mapping[str, Consent]] = {
    "subscribed": "granted",
    "unsubscribed": "withdrawn",
    "redacted": "withdrawn",
}


def _customer(delivered: Delivered) -> Told:
    payload = delivered.payload
    return told_customer(
        delivered,
        _identity_of(payload, external_id=required_id(payload)),
        changed_at=as_instant(payload.get("updated_at")) or delivered.told_at,
    )


def _customer_deleted(delivered: Delivered) -> Told:
    identity = PlatformIdentity(external_id=required_id(delivered.payload))
    return told_customer(delivered, identity, changed_at=delivered.told_at, deleted=True)


def _email_consent(delivered: Delivered) -> Told | Ignored:
    payload = delivered.payload
    consent = as_object(payload.get("email_marketing_consent"))
    state = _consent(consent)
    if state is None:
        return Ignored("no_consent_stated")
    identity = PlatformIdentity(
        external_id=required_id(payload, "customer_id"),
        email=as_text(payload.get("email_address")),
        email_marketing=state,
    )
    return told_customer(delivered, identity, changed_at=_consent_time(consent, delivered))


def _sms_consent(delivered: Delivered) -> Told | Ignored:
    payload = delivered.payload
    consent = as_object(payload.get("sms_marketing_consent"))
    state = _consent(consent)
    if state is None:
        return Ignored("no_consent_stated")
    identity = PlatformIdentity(
        external_id=as_id(payload.get("customer_id")) or required_id(payload),
        phone=as_text(payload.get("phone")),
        sms_marketing=state,
    )
    return told_customer(delivered, identity, changed_at=_consent_time(consent, delivered))


def _order(delivered: Delivered) -> Told:
    payload = delivered.payload
    order = order_of(payload, _WORDS, told_at=delivered.told_at)
    return told_order(
        delivered,
        order.model_copy(
            update={
                "shipping_minor": _shipping(payload, order),
                "status": _status(payload),
                # `created_at` is the day of the import for orders that were imported.
                "placed_at": as_instant(payload.get("processed_at")) or order.placed_at,
                "payments": order.payments or _payment(payload, order.currency, order.changed_at),
                "returns": _returns(payload),
                "customer": _buyer(payload),
            }
        ),
    )


def _payment(order: Payload, currency: str, changed_at: datetime) -> tuple[PlatformPayment, ...]:
    """A webhook has no money moves: what was paid in all, and by what."""
    methods = order.get("payment_gateway_names")
    named = [as_text(name) for name in methods] if isinstance(methods, list) else []
    status = _PAID.get(as_text(order.get("financial_status")) or "")
    total = as_minor(order.get("total_price"), currency) or 0
    if status is None or not total:
        return ()
    outstanding = as_minor(order.get("total_outstanding"), currency) or 0
    whole = status in ("authorized", "pending", "voided")
    paid_at = as_instant(order.get("processed_at")) or changed_at
    return (
        PlatformPayment(
            external_id="order",
            status=status,
            amount_minor=total if whole else max(total - max(outstanding, 0), 0),
            method=as_text(", ".join(name for name in named if name))
            or as_text(order.get("gateway")),
            paid_at=paid_at if status == "paid" else None,
        ),
    )


def _returns(order: Payload) -> tuple[PlatformReturn, ...]:
    """Goods that came back with refunds: what was fulfilled before; the rest was called off."""
    read = []
    for refund in as_objects(order.get("refunds"))[:MAX_PARTS]:
        items = as_objects(refund.get("refund_line_items"))
        found, at = as_id(refund.get("id")), as_instant(refund.get("created_at"))
        returned = [i for i in items if as_text(i.get("restock_type")) == "return"]
        if found is not None and returned:
            read.append(
                PlatformReturn(
                    external_id=found,
                    status="received",
                    reason=as_words(refund.get("note")),
                    lines=part_lines(returned, as_text(order.get("currency")) or ""),
                    restock=True,
                    requested_at=at,
                    received_at=at,
                )
            )
    return tuple(read)


def _order_deleted(delivered: Delivered) -> Told:
    return told_order_deleted(delivered, required_id(delivered.payload))


def _buyer(order: Payload) -> PlatformIdentity | None:
    """Who ordered: the customer with what the order adds, or a guest by what they typed."""
    customer = as_object(order.get("customer"))
    billing, shipping = (
        as_object(order.get("billing_address")),
        as_object(order.get("shipping_address")),
    )
    known = _identity_of(customer, external_id=as_id(customer.get("id")))
    address = billing or shipping
    consent = known.email_marketing
    if consent is None and not customer.get("email_marketing_consent"):
        consent = "granted" if order.get("buyer_accepts_marketing") is True else None
    merged = known.model_copy(
        update={
            "email": known.email or first_text(order.get("email"), order.get("contact_email")),
            "email_verified": known.email_verified and known.email is not None,
            "phone": first_text(
                customer.get("phone"),
                order.get("phone"),
                billing.get("phone"),
                shipping.get("phone"),
                known.phone,
            ),
            "name": known.name or full_name(address) or _text_name(address),
            "locale": known.locale or as_text(order.get("customer_locale")),
            "city": known.city or as_text(address.get("city")),
            "province": known.province or as_text(address.get("province")),
            "country": known.country or as_text(address.get("country_code")),
            "email_marketing": consent,
        }
    )
    return recognisable(merged)


def _identity_of(customer: Payload, *, external_id: str | None) -> PlatformIdentity:
    address = as_object(customer.get("default_address"))
    email = as_text(customer.get("email"))
    return PlatformIdentity(
        external_id=external_id,
        email=email,
        email_verified=email is not None and customer.get("verified_email") is True,
        phone=first_text(customer.get("phone"), address.get("phone")),
        name=full_name(customer) or _text_name(address),
        locale=as_text(customer.get("locale")),
        city=as_text(address.get("city")),
        province=as_text(address.get("province")),
        country=as_text(address.get("country_code")),
        company=as_text(address.get("company")),
        addresses=addresses_of(customer),
        tags=as_tags(customer.get("tags")),
        note=as_words(customer.get("note")),
        email_marketing=_consent(as_object(customer.get("email_marketing_consent"))),
        sms_marketing=_consent(as_object(customer.get("sms_marketing_consent"))),
    )


def _text_name(address: Payload) -> str | None:
    return as_text(address.get("name"), max_length=MAX_NAME)


def _consent(consent: Payload) -> Consent | None:
    """`not_subscribed` and `pending` mean that nobody has answered yet."""
    return _CONSENT.get(as_text(consent.get("state")) or "")


def _consent_time(consent: Payload, delivered: Delivered) -> datetime:
    return as_instant(consent.get("consent_updated_at")) or delivered.told_at


def _status(order: Payload) -> OrderStatus:
    if order.get("cancelled_at"):
        return "cancelled"
    done = order.get("closed_at") or order.get("fulfillment_status") == "fulfilled"
    return "completed" if done else "open"


def _shipping(payload: Payload, order: PlatformOrder) -> int:
    """The total is what was paid for it in the end; the lines are what it cost before."""
    shop_money = as_object(as_object(payload.get("total_shipping_price_set")).get("shop_money"))
    if shop_money.get("currency_code") != order.currency:
        return order.shipping_minor
    return as_minor(shop_money.get("amount"), order.currency) or 0


def _refund(refund: Payload, currency: str) -> int:
    """What was paid back, in the order's currency; by the goods, where no money move is told."""
    moves = [
        move
        for move in as_objects(refund.get("transactions"))
        if move.get("kind") == "refund" and move.get("currency", currency) == currency
    ]
    if moves:
        return sum(
            as_minor(move.get("amount"), currency) or 0
            for move in moves
            if move.get("status", "success") == "success"
        )
    return sum(
        (as_minor(line.get("subtotal"), currency) or 0)
        + (as_minor(line.get("total_tax"), currency) or 0)
        for line in as_objects(refund.get("refund_line_items"))
    )


def _line(line: Payload, currency: str) -> PlatformOrderLine:
    quantity = as_quantity(line.get("quantity"))
    price = as_minor(line.get("price"), currency) or 0
    allocated = as_objects(line.get("discount_allocations"))
    discount = sum(as_minor(part.get("amount"), currency) or 0 for part in allocated)
    if not allocated:
        discount = as_minor(line.get("total_discount"), currency) or 0
    sku = as_text(line.get("sku"))
    return PlatformOrderLine(
        external_id=as_id(line.get("id")),
        product_id=as_id(line.get("product_id")),
        variant_id=as_id(line.get("variant_id")),
        sku=sku,
        title=first_text(line.get("name"), line.get("title"), sku) or "?",
        quantity=quantity,
        unit_price_minor=price,
        total_minor=within_range(price * quantity - discount),
        discount_minor=within_range(discount) or None,
        tax_minor=_line_tax(line, currency),
        category=as_text(line.get("product_type")),
        vendor=as_text(line.get("vendor")),
    )


def _line_tax(line: Payload, currency: str) -> int | None:
    taxes = as_objects(line.get("tax_lines"))
    amounts = [as_minor(tax.get("price"), currency) or 0 for tax in taxes]
    return within_range(sum(amounts)) if amounts else None


def _data_request(delivered: Delivered) -> Told:
    return told_privacy_request(delivered, _person_asked_for(delivered), kind="data_request")


def _redact(delivered: Delivered) -> Told:
    named = delivered.payload.get("orders_to_redact")
    ids = (as_id(each) for each in (named if isinstance(named, list) else [])[:MAX_LINES])
    orders = tuple(each for each in ids if each is not None)
    person = _person_asked_for(delivered)
    return told_privacy_request(delivered, person, kind="redact", orders=orders)


def _person_asked_for(delivered: Delivered) -> PlatformIdentity:
    customer = as_object(delivered.payload.get("customer"))
    identity = PlatformIdentity(
        external_id=as_id(customer.get("id")), email=as_text(customer.get("email"))
    )
    if recognisable(identity) is None:
        raise PayloadNotUnderstood("no customer")
    return identity


def _shop_redact(delivered: Delivered) -> Told:
    """It comes two days after the app was taken off the shop."""
    payload = delivered.payload
    shop_id = as_id(payload.get("shop_id")) or as_text(payload.get("shop_domain"))
    return told_shop_redacted(delivered, shop_id or "shop")


_WORDS: Final = Words(
    financial=FINANCIAL,
    delivered=frozenset({"delivered"}),
    email=as_text,
    paid_back=_refund,
    line=_line,
)
READERS: Final[Mapping[str, Reader]] = {
    **readers_of(
        customer=_customer,
        customer_gone=_customer_deleted,
        order=_order,
        order_gone=_order_deleted,
    ),
    "customers_email_marketing_consent/update": _email_consent,
    "customers_marketing_consent/update": _sms_consent,
    "orders/edited": told_by_the_order,
    "customers/data_request": _data_request,
    "customers/redact": _redact,
    "shop/redact": _shop_redact,
}
