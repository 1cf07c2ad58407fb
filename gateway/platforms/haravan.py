"""What Haravan says (its Omni API). Pure functions.

It took after Shopify, with words of its own: `notfulfilled`, `partiallypaid`, kinds of money moves
that say how they ended, refunds with a minus. Amounts are decimals, times UTC, and some payloads
hold the object in another one.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

from gateway.platforms.reading import (
    MAX_NOTE,
    MAX_PARTS,
    Payload,
    as_day,
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
    Words,
    address_of,
    addresses_of,
    order_of,
    part_lines,
    readers_of,
)
from gateway.platforms.told import (
    Consent,
    Delivered,
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
    PlatformIdentity,
    PlatformOrderLine,
    PlatformReturn,
)

_NOBODY: Final = "guest@haravan.com"
_GENDER: Final[Mapping[str, Literal["female", "male", "other"]]] = {
    "0": "female",
    "1": "male",
    "female": "female",
    "male": "male",
    "nữ": "female",
    "nam": "male",
}


def _customer(delivered: Delivered) -> Told:
    payload = _inner(delivered.payload, "customer")
    return told_customer(
        delivered,
        _identity_of(payload, external_id=required_id(payload)),
        changed_at=as_instant(payload.get("updated_at")) or delivered.told_at,
    )


def _customer_deleted(delivered: Delivered) -> Told:
    payload = _inner(delivered.payload, "customer")
    identity = PlatformIdentity(external_id=required_id(payload))
    return told_customer(delivered, identity, changed_at=delivered.told_at, deleted=True)


def _order(delivered: Delivered) -> Told:
    payload = _inner(delivered.payload, "order")
    order = order_of(payload, _WORDS, told_at=delivered.told_at)
    refunds = as_objects(payload.get("refunds"))[:MAX_PARTS]
    return told_order(
        delivered,
        order.model_copy(
            update={
                "status": _status(payload),
                "channel": first_text(payload.get("source_name"), payload.get("source")),
                "landing_page": _landing_page(payload),
                "returns": tuple(
                    back for each in refunds if (back := _return(each, order.currency))
                ),
                "customer": _buyer(payload),
            }
        ),
    )


def _order_deleted(delivered: Delivered) -> Told:
    return told_order_deleted(delivered, required_id(_inner(delivered.payload, "order")))


def _inner(payload: Payload, name: str) -> Payload:
    """The object itself, where it comes in another one."""
    return as_object(payload.get(name)) if "id" not in payload and name in payload else payload


def _buyer(order: Payload) -> PlatformIdentity | None:
    customer = as_object(order.get("customer"))
    known = _identity_of(customer, external_id=as_id(customer.get("id")))
    billing, shipping = (
        as_object(order.get("billing_address")),
        as_object(order.get("shipping_address")),
    )
    address = address_of(billing) or address_of(shipping) or PlatformAddress()
    merged = known.model_copy(
        update={
            "email": known.email or _own(order.get("email")) or _own(order.get("contact_email")),
            "phone": first_text(known.phone, billing.get("phone"), shipping.get("phone")),
            "name": known.name or address.name,
            "city": known.city or address.city or address.district,
            "province": known.province or address.province,
            "country": known.country or address.country,
        }
    )
    return recognisable(merged)


def _identity_of(customer: Payload, *, external_id: str | None) -> PlatformIdentity:
    addresses = addresses_of(customer)
    address = addresses[0] if addresses else PlatformAddress()
    email = _own(customer.get("email"))
    gender = (as_text(customer.get("gender")) or "").lower()
    return PlatformIdentity(
        external_id=external_id,
        email=email,
        email_verified=email is not None and customer.get("verified_email") is True,
        phone=first_text(customer.get("phone"), address.phone),
        name=_family_first(customer) or address.name,
        city=address.city or address.district,
        province=address.province,
        country=address.country,
        gender=_GENDER.get(gender),
        birth_date=as_day(customer.get("birthday")),
        company=address.company,
        addresses=addresses,
        tags=as_tags(customer.get("tags")),
        note=as_words(customer.get("note")),
        email_marketing=_consent(customer),
    )


def _family_first(customer: Payload) -> str | None:
    """A name as Vietnam has it: `first_name` is the given name, and comes last."""
    parts = {"first_name": customer.get("last_name"), "last_name": customer.get("first_name")}
    return full_name(parts)


def _own(email: object) -> str | None:
    """An address, unless it is the one that Haravan writes for everybody who has given none."""
    text = as_text(email)
    return None if text is None or text.lower() == _NOBODY else text


def _consent(customer: Payload) -> Consent | None:
    """What is not accepted was perhaps never asked."""
    return "granted" if customer.get("accepts_marketing") is True else None


def _status(order: Payload) -> OrderStatus:
    if order.get("cancelled_at") or as_text(order.get("cancelled_status")) == "cancelled":
        return "cancelled"
    closed = order.get("closed_at") or as_text(order.get("closed_status")) == "closed"
    return "completed" if closed or order.get("fulfillment_status") == "fulfilled" else "open"


def _landing_page(order: Payload) -> str | None:
    """Where the visit began; the words of a campaign go with it, as in its address."""
    page = as_text(order.get("landing_site"), max_length=MAX_NOTE)
    names = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
    told = {name: value for name in names if (value := as_text(order.get(name)))}
    missing = [f"{name}={value}" for name, value in told.items() if name not in (page or "")]
    if not missing:
        return page
    return f"{page or '/'}{'&' if '?' in (page or '') else '?'}{'&'.join(missing)}"[:MAX_NOTE]


def _refund(refund: Payload, currency: str) -> int:
    """What was paid back; Haravan writes it with a minus."""
    moves = as_objects(refund.get("transactions"))
    return sum(
        abs(as_minor(move.get("amount"), currency) or 0)
        for move in moves
        if move.get("kind") == "refund" and move.get("currency", currency) == currency
    )


def _return(refund: Payload, currency: str) -> PlatformReturn | None:
    """The goods that a refund took back."""
    found, lines = as_id(refund.get("id")), part_lines(refund.get("refund_line_items"), currency)
    if found is None or not lines:
        return None
    at: datetime | None = as_instant(refund.get("created_at"))
    return PlatformReturn(
        external_id=found,
        status="received",
        reason=as_words(refund.get("note")),
        lines=lines,
        restock=refund.get("restock") is True,
        requested_at=at,
        received_at=at,
    )


def _line(line: Payload, currency: str) -> PlatformOrderLine:
    quantity = as_quantity(line.get("quantity"))
    price = as_minor(line.get("price"), currency) or 0
    discount = as_minor(line.get("total_discount"), currency)
    original = as_minor(line.get("price_original"), currency)
    # `price` is what is left of `price_original`; the discount is told for information.
    taken_off = discount if discount and (original is None or original == price) else 0
    return PlatformOrderLine(
        external_id=as_id(line.get("id")),
        product_id=as_id(line.get("product_id")),
        variant_id=as_id(line.get("variant_id")),
        sku=as_text(line.get("sku")),
        title=first_text(line.get("name"), line.get("title"), line.get("sku")) or "?",
        quantity=quantity,
        unit_price_minor=price,
        total_minor=within_range(price * quantity - taken_off),
        discount_minor=discount,
        category=as_text(line.get("type")),
        vendor=as_text(line.get("vendor")),
    )


_WORDS: Final = Words(
    financial={
        **FINANCIAL,
        "partiallypaid": "pending",
        "partiallyrefunded": "partially_refunded",
    },
    delivered=frozenset({"đã giao hàng", "delivered"}),
    email=_own,
    paid_back=_refund,
    line=_line,
)
READERS: Final[Mapping[str, Reader]] = readers_of(
    customer=_customer,
    customer_gone=_customer_deleted,
    order=_order,
    order_gone=_order_deleted,
)
