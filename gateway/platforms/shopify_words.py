"""What Shopify and the platforms that took after it say alike: addresses, parcels, money moves.

Pure functions; each platform's own module says what its words mean.
"""

from collections.abc import Mapping
from typing import Final, Literal

from gateway.platforms.reading import (
    MAX_LINES,
    MAX_NAME,
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
)
from shared.contracts.gateway import (
    PlatformAddress,
    PlatformDiscountCode,
    PlatformFulfillment,
    PlatformPartLine,
    PlatformPayment,
    PlatformRefund,
)
from shared.text import tidy

PaymentStatus = Literal["pending", "authorized", "paid", "failed", "voided"]
FulfillmentStatus = Literal["pending", "shipped", "delivered", "failed", "cancelled"]

_MAX_ADDRESSES: Final = 20
_MONEY_IN: Final = frozenset({"sale", "capture", "authorization", "pending"})
_FULFILLMENT: Final[Mapping[str, FulfillmentStatus]] = {
    "success": "shipped",
    "pending": "pending",
    "open": "pending",
    "cancelled": "cancelled",
    "error": "failed",
    "failure": "failed",
}


def address_of(value: object) -> PlatformAddress | None:
    """An address; None when it says nothing of a place or a person."""
    said = as_object(value)
    lines = [as_text(said.get("address1")), as_text(said.get("address2"))]
    address = PlatformAddress(
        external_id=as_id(said.get("id")),
        name=full_name(said) or as_text(said.get("name"), max_length=MAX_NAME),
        company=as_text(said.get("company")),
        phone=as_text(said.get("phone")),
        street=tidy(", ".join(line for line in lines if line), max_length=255),
        ward=as_text(said.get("ward")),
        district=as_text(said.get("district")),
        city=as_text(said.get("city")),
        province=as_text(said.get("province")),
        country=(as_text(said.get("country_code")) or "").upper() or as_text(said.get("country")),
        postal_code=as_text(said.get("zip")),
        is_default=said.get("default") is True,
    )
    told = address.model_dump(exclude={"external_id", "is_default", "country"}, exclude_none=True)
    return address if told else None


def addresses_of(customer: Payload) -> tuple[PlatformAddress, ...]:
    """All addresses of a customer, the default one first."""
    listed = [*as_objects(customer.get("addresses"))][:_MAX_ADDRESSES]
    default = as_object(customer.get("default_address"))
    if default and as_id(default.get("id")) not in {as_id(each.get("id")) for each in listed}:
        listed.insert(0, {**default, "default": True})
    read = [address for each in listed if (address := address_of(each)) is not None]
    return tuple(sorted(read, key=lambda address: not address.is_default))


def discount_codes(order: Payload, currency: str) -> tuple[PlatformDiscountCode, ...]:
    """The codes that made an order cheaper."""
    return tuple(
        PlatformDiscountCode(code=code, amount_minor=as_minor(each.get("amount"), currency))
        for each in as_objects(order.get("discount_codes"))[:50]
        if (code := as_text(each.get("code")))
    )


def part_lines(
    items: object, currency: str, *, quantity: str = "quantity"
) -> tuple[PlatformPartLine, ...]:
    """Which goods something is about: lines of an order, or rows that hold one."""
    read = []
    for each in as_objects(items)[:MAX_LINES]:
        line = as_object(each.get("line_item")) or each
        count = as_quantity(each.get(quantity))
        if count > 0:
            read.append(
                PlatformPartLine(
                    line_id=as_id(each.get("line_item_id")) or as_id(line.get("id")),
                    product_id=as_id(line.get("product_id")),
                    variant_id=as_id(line.get("variant_id")),
                    sku=as_text(line.get("sku")),
                    title=first_text(line.get("name"), line.get("title")),
                    quantity=count,
                    amount_minor=as_minor(each.get("subtotal"), currency),
                )
            )
    return tuple(read)


def payments(
    order: Payload, currency: str, statuses: Mapping[str, PaymentStatus]
) -> tuple[PlatformPayment, ...]:
    """The money moves of an order that bring money in; `statuses` by kind, or by how one ended."""
    read = []
    for each in as_objects(order.get("transactions"))[:MAX_PARTS]:
        kind, ended = as_text(each.get("kind")) or "", as_text(each.get("status")) or ""
        found = as_id(each.get("id"))
        if found is None or kind not in _MONEY_IN or each.get("currency", currency) != currency:
            continue
        status = statuses.get(ended) or statuses.get(kind) or "pending"
        at = as_instant(each.get("processed_at")) or as_instant(each.get("created_at"))
        read.append(
            PlatformPayment(
                external_id=found,
                status=status,
                amount_minor=abs(as_minor(each.get("amount"), currency) or 0),
                method=as_text(each.get("gateway")),
                reference=first_text(
                    each.get("external_transaction_id"), each.get("authorization")
                ),
                paid_at=at if status == "paid" else None,
                changed_at=at,
            )
        )
    return tuple(read)


def refund_of(refund: Payload, currency: str, amount_minor: int) -> PlatformRefund | None:
    """A refund, with what it paid back."""
    found = as_id(refund.get("id"))
    if found is None:
        return None
    return PlatformRefund(
        external_id=found,
        amount_minor=amount_minor,
        reason=as_words(refund.get("note")),
        lines=part_lines(refund.get("refund_line_items"), currency),
        refunded_at=as_instant(refund.get("processed_at")) or as_instant(refund.get("created_at")),
    )


def fulfillments(
    order: Payload, currency: str, delivered: frozenset[str]
) -> tuple[PlatformFulfillment, ...]:
    """The parcels of an order; `delivered` are the carriers' words for one that has arrived."""
    read = []
    for each in as_objects(order.get("fulfillments"))[:MAX_PARTS]:
        found = as_id(each.get("id"))
        if found is None:
            continue
        word = first_text(each.get("shipment_status"), each.get("carrier_status_name")) or ""
        status = _FULFILLMENT.get(as_text(each.get("status")) or "", "pending")
        changed_at = as_instant(each.get("updated_at")) or as_instant(each.get("created_at"))
        arrived = status == "shipped" and word.lower() in delivered
        read.append(
            PlatformFulfillment(
                external_id=found,
                status="delivered" if arrived else status,
                carrier=as_text(each.get("tracking_company")),
                tracking_number=as_text(each.get("tracking_number")),
                tracking_url=as_text(each.get("tracking_url"), max_length=1000),
                lines=part_lines(each.get("line_items"), currency),
                shipped_at=as_instant(each.get("created_at")) if status == "shipped" else None,
                delivered_at=(
                    as_instant(each.get("delivered_date")) or changed_at if arrived else None
                ),
                changed_at=changed_at,
            )
        )
    return tuple(read)
