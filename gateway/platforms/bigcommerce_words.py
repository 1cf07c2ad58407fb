"""What BigCommerce says of orders (REST V2) and customers (V3). Pure functions.

Money is in strings of four decimals, with and without taxes; times are those of RFC 2822; a guest
has `customer_id: 0`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from gateway.platforms.reading import (
    MAX_LINES,
    MAX_PARTS,
    Payload,
    PayloadNotUnderstood,
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
from gateway.platforms.shopify_words import PaymentStatus
from gateway.platforms.told import (
    Consent,
    FinancialStatus,
    OrderStatus,
    recognisable,
)
from shared.contracts.gateway import (
    PlatformAddress,
    PlatformDiscountCode,
    PlatformFulfillment,
    PlatformIdentity,
    PlatformOrder,
    PlatformOrderLine,
    PlatformPartLine,
    PlatformPayment,
    PlatformRefund,
)

_STATUS: Final[Mapping[str, OrderStatus]] = {
    "shipped": "completed",
    "completed": "completed",
    "refunded": "completed",
    "partially refunded": "completed",
    "cancelled": "cancelled",
    "declined": "cancelled",
}
_FULFILLED: Final[Mapping[str, str]] = {
    "shipped": "fulfilled",
    "completed": "fulfilled",
    "partially shipped": "partial",
}
_FINANCIAL: Final[Mapping[str, FinancialStatus]] = {
    "authorized": "pending",
    "capture pending": "pending",
    "captured": "paid",
    "paid": "paid",
    "partially refunded": "partially_refunded",
    "refunded": "refunded",
    "void": "voided",
    "voided": "voided",
    "void pending": "voided",
    "declined": "voided",
}
_PAYMENT: Final[Mapping[FinancialStatus, PaymentStatus]] = {
    "paid": "paid",
    "partially_refunded": "paid",
    "refunded": "paid",
    "voided": "voided",
}
_PAID_STATUSES: Final = frozenset({"awaiting fulfillment", "awaiting shipment", "awaiting pickup"})


def customer_of(customer: Payload) -> PlatformIdentity:
    """A customer of V3, with the addresses that were asked for with it."""
    read = [_address(each, default=place == 0) for place, each in enumerate(_addresses(customer))]
    addresses = tuple(address for address in read if address is not None)
    address = addresses[0] if addresses else PlatformAddress()
    return PlatformIdentity(
        external_id=as_id(customer.get("id")),
        email=as_text(customer.get("email")),
        phone=first_text(customer.get("phone"), address.phone),
        name=full_name(customer) or address.name,
        city=address.city,
        province=address.province,
        country=address.country,
        company=first_text(customer.get("company"), address.company),
        addresses=addresses,
        note=as_words(customer.get("notes")),
    )


def order_of(
    order: Payload,
    *,
    products: Sequence[Payload] = (),
    shipping_addresses: Sequence[Payload] = (),
    coupons: Sequence[Payload] = (),
    shipments: Sequence[Payload] = (),
    refunds: Sequence[Payload] = (),
) -> PlatformOrder:
    """An order of V2, with what belongs to it. Raises PayloadNotUnderstood."""
    order_id = required_id(order)
    code = first_text(order.get("currency_code"), order.get("default_currency_code"))
    currency = required_currency({"currency": code})
    changed_at = moment(order.get("date_modified")) or moment(order.get("date_created"))
    if changed_at is None:
        raise PayloadNotUnderstood("no date_modified")
    total = required_minor(order, "total_inc_tax", currency)
    refunded = as_minor(order.get("refunded_amount"), currency) or 0
    word = (as_text(order.get("status")) or "").lower()
    status = _STATUS.get(word, "open")
    financial = _financial_status(order, word, total=total, refunded=refunded)
    billing = _address(as_object(order.get("billing_address")))
    read = (_address(each) for each in shipping_addresses[:MAX_PARTS])
    delivery = [address for address in read if address is not None]
    shipped_at = moment(order.get("date_shipped"))
    return PlatformOrder(
        external_id=order_id,
        number=first_text(order.get("external_order_id"), order_id) or order_id,
        currency=currency,
        total_minor=total,
        subtotal_minor=as_minor(order.get("subtotal_inc_tax"), currency) or 0,
        discount_minor=_sum(order, ("discount_amount", "coupon_discount"), currency),
        shipping_minor=_sum(
            order,
            ("shipping_cost_inc_tax", "handling_cost_inc_tax", "wrapping_cost_inc_tax"),
            currency,
        ),
        tax_minor=as_minor(order.get("total_tax"), currency) or 0,
        refunded_minor=refunded,
        status=status,
        financial_status=financial,
        fulfillment_status=_FULFILLED.get(word),
        channel=as_text(order.get("order_source")),
        store=as_id(order.get("channel_id")),
        placed_at=moment(order.get("date_created")) or changed_at,
        changed_at=changed_at,
        cancelled_at=changed_at if status == "cancelled" else None,
        cancel_reason=word if status == "cancelled" else None,
        note=as_words(order.get("customer_message")),
        discount_codes=_codes(coupons, currency),
        billing_address=billing,
        shipping_address=delivery[0] if delivery else None,
        contact_email=as_text(as_object(order.get("billing_address")).get("email")),
        further_shipping_addresses=tuple(delivery[1:]),
        lines=tuple(_line(each, currency) for each in products[:MAX_LINES]),
        payments=_payments(order, currency, financial, total=total, at=changed_at),
        refunds=tuple(
            told for each in refunds[:MAX_PARTS] if (told := _refund(each, currency)) is not None
        ),
        fulfillments=tuple(
            sent for each in shipments[:MAX_PARTS] if (sent := _shipment(each)) is not None
        )
        or _shipped(shipped_at),
        customer=_buyer(order, billing),
    )


def _buyer(order: Payload, billing: PlatformAddress | None) -> PlatformIdentity | None:
    address = billing or PlatformAddress()
    consent: Consent | None = "granted" if order.get("is_email_opt_in") is True else None
    return recognisable(
        PlatformIdentity(
            external_id=as_id(order.get("customer_id")),
            email=as_text(as_object(order.get("billing_address")).get("email")),
            phone=address.phone,
            name=address.name,
            locale=as_text(order.get("customer_locale")),
            city=address.city,
            province=address.province,
            country=address.country,
            company=address.company,
            email_marketing=consent,
        )
    )


def _financial_status(order: Payload, word: str, *, total: int, refunded: int) -> FinancialStatus:
    if refunded:
        return "refunded" if refunded >= total else "partially_refunded"
    told = (as_text(order.get("payment_status")) or "").lower()
    found = _FINANCIAL.get(told)
    if found is None:
        return "paid" if word in _PAID_STATUSES or word in _FULFILLED else "pending"
    return found


def _payments(
    order: Payload, currency: str, financial: FinancialStatus, *, total: int, at: datetime
) -> tuple[PlatformPayment, ...]:
    """An order is paid once, whatever was paid by credit or gift certificates beside."""
    method = as_text(order.get("payment_method"))
    by_credit = _sum(order, ("store_credit_amount", "gift_certificate_amount"), currency)
    if method is None or total <= 0:
        return ()
    authorized = (as_text(order.get("payment_status")) or "").lower() == "authorized"
    status: PaymentStatus = "authorized" if authorized else _PAYMENT.get(financial, "pending")
    paid = PlatformPayment(
        external_id="order",
        status=status,
        amount_minor=total,
        method=method,
        reference=as_text(order.get("payment_provider_id")),
        paid_at=at if status == "paid" else None,
    )
    if not by_credit:
        return (paid,)
    credit = paid.model_copy(
        update={"external_id": "credit", "amount_minor": by_credit, "method": "store_credit"}
    )
    rest = paid.model_copy(update={"amount_minor": max(total - by_credit, 0)})
    return (rest, credit)


def _codes(coupons: Sequence[Payload], currency: str) -> tuple[PlatformDiscountCode, ...]:
    return tuple(
        PlatformDiscountCode(code=code, amount_minor=as_minor(each.get("discount"), currency))
        for each in coupons[:50]
        if (code := as_text(each.get("code")))
    )


def _refund(refund: Payload, currency: str) -> PlatformRefund | None:
    found = as_id(refund.get("id"))
    if found is None:
        return None
    return PlatformRefund(
        external_id=found,
        amount_minor=abs(as_minor(refund.get("total_amount"), currency) or 0),
        reason=as_words(refund.get("reason")),
        refunded_at=as_instant(refund.get("created")),
    )


def _shipment(shipment: Payload) -> PlatformFulfillment | None:
    found = as_id(shipment.get("id"))
    if found is None:
        return None
    items = as_objects(shipment.get("items"))[:MAX_LINES]
    lines = tuple(
        PlatformPartLine(
            line_id=as_id(item.get("order_product_id")),
            product_id=as_id(item.get("product_id")),
            quantity=as_quantity(item.get("quantity")),
        )
        for item in items
        if as_quantity(item.get("quantity")) > 0
    )
    return PlatformFulfillment(
        external_id=found,
        status="shipped",
        carrier=first_text(shipment.get("tracking_carrier"), shipment.get("shipping_provider")),
        tracking_number=as_text(shipment.get("tracking_number")),
        tracking_url=as_text(shipment.get("tracking_link"), max_length=1000),
        lines=lines,
        shipped_at=moment(shipment.get("date_created")),
    )


def _shipped(at: datetime | None) -> tuple[PlatformFulfillment, ...]:
    if at is None:
        return ()
    return (PlatformFulfillment(external_id="order", status="shipped", shipped_at=at),)


def _line(line: Payload, currency: str) -> PlatformOrderLine:
    discounts = as_objects(line.get("applied_discounts"))
    discount = sum(as_minor(each.get("amount"), currency) or 0 for each in discounts)
    return PlatformOrderLine(
        external_id=as_id(line.get("id")),
        product_id=as_id(line.get("product_id")),
        variant_id=as_id(line.get("variant_id")),
        sku=as_text(line.get("sku")),
        title=first_text(line.get("name"), line.get("sku")) or "?",
        quantity=as_quantity(line.get("quantity")),
        unit_price_minor=as_minor(line.get("price_inc_tax"), currency) or 0,
        total_minor=as_minor(line.get("total_inc_tax"), currency) or 0,
        discount_minor=within_range(discount) or None,
        tax_minor=as_minor(line.get("total_tax"), currency),
        vendor=as_text(line.get("brand")),
    )


def _addresses(customer: Payload) -> list[Payload]:
    return as_objects(customer.get("addresses"))[:20]


def _address(said: Payload, *, default: bool = False) -> PlatformAddress | None:
    """An address, of V2 or V3, which name its parts differently."""
    lines = (
        first_text(said.get("street_1"), said.get("address1")),
        first_text(said.get("street_2"), said.get("address2")),
    )
    address = PlatformAddress(
        external_id=as_id(said.get("id")),
        name=full_name(said),
        company=as_text(said.get("company")),
        phone=as_text(said.get("phone")),
        street=as_text(", ".join(line for line in lines if line)),
        city=as_text(said.get("city")),
        province=first_text(said.get("state"), said.get("state_or_province")),
        country=first_text(said.get("country_iso2"), said.get("country_code"), said.get("country")),
        postal_code=first_text(said.get("zip"), said.get("postal_code")),
        is_default=default,
    )
    told = address.model_dump(exclude={"external_id", "is_default", "country"}, exclude_none=True)
    return address if told else None


def _sum(order: Payload, names: Sequence[str], currency: str) -> int:
    return within_range(sum(as_minor(order.get(name), currency) or 0 for name in names))


def moment(value: object) -> datetime | None:
    """A time as RFC 2822 writes it, or as everybody else."""
    if not isinstance(value, str) or not value.strip():
        return None
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return as_instant(value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
