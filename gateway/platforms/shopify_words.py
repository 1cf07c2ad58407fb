"""What Shopify and the platforms that took after it say alike: orders, addresses, parcels, money.

Pure functions. Each platform's own module has its words, and changes of what is read here what it
says in another way.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from gateway.platforms.reading import (
    MAX_LINES,
    MAX_NAME,
    MAX_NOTE,
    MAX_PARTS,
    Payload,
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
    required_currency,
    required_id,
    required_minor,
    within_range,
)
from gateway.platforms.told import FinancialStatus, Ignored, Reader
from shared.contracts.gateway import (
    PlatformAddress,
    PlatformDiscountCode,
    PlatformFulfillment,
    PlatformOrder,
    PlatformOrderLine,
    PlatformPartLine,
    PlatformPayment,
    PlatformRefund,
)
from shared.text import tidy

FINANCIAL: Final[Mapping[str, FinancialStatus]] = {
    "pending": "pending",
    "authorized": "pending",
    "partially_paid": "pending",
    "paid": "paid",
    "partially_refunded": "partially_refunded",
    "refunded": "refunded",
    "voided": "voided",
}
PaymentStatus = Literal["pending", "authorized", "paid", "failed", "voided"]
FulfillmentStatus = Literal["pending", "shipped", "delivered", "failed", "cancelled"]

_MAX_ADDRESSES: Final = 20
_PAYMENT: Final[Mapping[str, PaymentStatus]] = {
    "failure": "failed",
    "error": "failed",
    "pending": "pending",
    "sale": "paid",
    "capture": "paid",
    "authorization": "authorized",
}
_MONEY_IN: Final = frozenset({"sale", "capture", "authorization", "pending"})
_FULFILLMENT: Final[Mapping[str, FulfillmentStatus]] = {
    "success": "shipped",
    "pending": "pending",
    "open": "pending",
    "cancelled": "cancelled",
    "error": "failed",
    "failure": "failed",
}


@dataclass(frozen=True, slots=True)
class Words:
    """What each platform says in its own way.

    `delivered` are the carriers' words for a parcel that has arrived; `email` reads an address that
    is somebody's own; `paid_back` adds up what a refund gave back.
    """

    financial: Mapping[str, FinancialStatus]
    delivered: frozenset[str]
    email: Callable[[object], str | None]
    paid_back: Callable[[Payload, str], int]
    line: Callable[[Payload, str], PlatformOrderLine]


def order_of(payload: Payload, words: Words, *, told_at: datetime) -> PlatformOrder:
    """An order, as far as all of them say it alike; it has no buyer yet, and counts as open.

    Raises PayloadNotUnderstood.
    """
    order_id = required_id(payload)
    currency = required_currency(payload)
    changed_at = as_instant(payload.get("updated_at")) or told_at
    refunds = as_objects(payload.get("refunds"))[:MAX_PARTS]
    paid_back = [within_range(words.paid_back(refund, currency)) for refund in refunds]
    status = as_text(payload.get("financial_status")) or ""
    return PlatformOrder(
        external_id=order_id,
        number=first_text(payload.get("name"), payload.get("order_number")) or order_id,
        currency=currency,
        total_minor=required_minor(payload, "total_price", currency),
        subtotal_minor=as_minor(payload.get("subtotal_price"), currency) or 0,
        discount_minor=as_minor(payload.get("total_discounts"), currency) or 0,
        shipping_minor=_shipping(payload, currency),
        tax_minor=as_minor(payload.get("total_tax"), currency) or 0,
        refunded_minor=within_range(sum(paid_back)),
        financial_status=words.financial.get(status, "unknown"),
        fulfillment_status=as_text(payload.get("fulfillment_status")),
        channel=as_text(payload.get("source_name")),
        store=as_id(payload.get("location_id")),
        staff=as_id(payload.get("user_id")),
        placed_at=as_instant(payload.get("created_at")) or changed_at,
        changed_at=changed_at,
        cancelled_at=as_instant(payload.get("cancelled_at")),
        cancel_reason=as_text(payload.get("cancel_reason")),
        note=as_words(payload.get("note")),
        tags=as_tags(payload.get("tags")),
        discount_codes=discount_codes(payload, currency),
        billing_address=address_of(payload.get("billing_address")),
        shipping_address=address_of(payload.get("shipping_address")),
        contact_email=words.email(payload.get("email"))
        or words.email(payload.get("contact_email")),
        contact_phone=as_text(payload.get("phone")),
        landing_page=as_text(payload.get("landing_site"), max_length=MAX_NOTE),
        referrer=as_text(payload.get("referring_site"), max_length=MAX_NOTE),
        lines=tuple(words.line(line, currency) for line in as_objects(payload.get("line_items"))),
        payments=_payments(payload, currency),
        refunds=tuple(
            told
            for refund, amount in zip(refunds, paid_back, strict=True)
            if (told := _refund_of(refund, currency, amount))
        ),
        fulfillments=_fulfillments(payload, currency, words.delivered),
    )


def readers_of(
    *, customer: Reader, customer_gone: Reader, order: Reader, order_gone: Reader
) -> dict[str, Reader]:
    """Which topic is read how; the words for what has happened are the same everywhere."""
    return {
        **{f"customers/{each}": customer for each in ("create", "update", "enable", "disable")},
        "customers/delete": customer_gone,
        **{f"orders/{each}": order for each in ("create", "updated", "paid", "cancelled")},
        **{f"orders/{each}": order for each in ("fulfilled", "partially_fulfilled")},
        "orders/delete": order_gone,
        # It comes with an `orders/updated` that has the whole order.
        "refunds/create": told_by_the_order,
    }


def told_by_the_order(_delivered: object) -> Ignored:
    """What comes with an `orders/updated` that has the whole order."""
    return Ignored("told_by_orders_updated")


def address_of(value: object) -> PlatformAddress | None:
    """An address; None when it says nothing of a place or a person."""
    said = as_object(value)
    lines = [as_text(said.get("address1")), as_text(said.get("address2"))]
    address = PlatformAddress(
        external_id=as_id(said.get("id")),
        # Its order is that of the country; of the two parts nobody knows which comes first.
        name=as_text(said.get("name"), max_length=MAX_NAME) or full_name(said),
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


def _shipping(order: Payload, currency: str) -> int:
    lines = as_objects(order.get("shipping_lines"))
    return within_range(sum(as_minor(line.get("price"), currency) or 0 for line in lines))


def _payments(order: Payload, currency: str) -> tuple[PlatformPayment, ...]:
    """The money moves of an order that bring money in: by how one ended, or else by its kind."""
    read = []
    for each in as_objects(order.get("transactions"))[:MAX_PARTS]:
        kind, ended = as_text(each.get("kind")) or "", as_text(each.get("status")) or ""
        found = as_id(each.get("id"))
        if found is None or kind not in _MONEY_IN or each.get("currency", currency) != currency:
            continue
        status = _PAYMENT.get(ended) or _PAYMENT.get(kind) or "pending"
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


def _refund_of(refund: Payload, currency: str, amount_minor: int) -> PlatformRefund | None:
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


def _fulfillments(
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
