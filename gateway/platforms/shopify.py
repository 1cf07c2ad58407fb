"""What Shopify says (webhooks of API versions 2023-01 to 2024-10). Pure functions.

Money is in the shop's currency, in strings; times carry the shop's offset; a customer may be null.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from gateway.platforms.reading import (
    MAX_NAME,
    MAX_NOTE,
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
    required_currency,
    required_id,
    required_minor,
    within_range,
)
from gateway.platforms.shopify_words import (
    PaymentStatus,
    address_of,
    addresses_of,
    discount_codes,
    fulfillments,
    part_lines,
    payments,
    refund_of,
)
from gateway.platforms.told import (
    Consent,
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
    told_privacy_request,
)
from shared.contracts.gateway import (
    PlatformIdentity,
    PlatformOrder,
    PlatformOrderLine,
    PlatformPayment,
    PlatformReturn,
)

_FINANCIAL: Final[Mapping[str, FinancialStatus]] = {
    "pending": "pending",
    "authorized": "pending",
    "partially_paid": "pending",
    "paid": "paid",
    "partially_refunded": "partially_refunded",
    "refunded": "refunded",
    "voided": "voided",
}
_PAYMENT: Final[Mapping[str, PaymentStatus]] = {
    "failure": "failed",
    "error": "failed",
    "sale": "paid",
    "capture": "paid",
    "authorization": "authorized",
}
_PAID: Final[Mapping[str, PaymentStatus]] = {
    "pending": "pending",
    "voided": "voided",
    "authorized": "authorized",
    "partially_paid": "paid",
    "paid": "paid",
    "partially_refunded": "paid",
    "refunded": "paid",
}
_DELIVERED: Final = frozenset({"delivered"})
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
    order_id = required_id(payload)
    currency = required_currency(payload)
    told_at = delivered.told_at
    changed_at = as_instant(payload.get("updated_at")) or told_at
    order = PlatformOrder(
        external_id=order_id,
        number=first_text(payload.get("name"), payload.get("order_number")) or order_id,
        currency=currency,
        total_minor=required_minor(payload, "total_price", currency),
        subtotal_minor=as_minor(payload.get("subtotal_price"), currency) or 0,
        discount_minor=as_minor(payload.get("total_discounts"), currency) or 0,
        shipping_minor=_shipping(payload, currency),
        tax_minor=as_minor(payload.get("total_tax"), currency) or 0,
        refunded_minor=within_range(
            sum(_refund(refund, currency) for refund in as_objects(payload.get("refunds")))
        ),
        status=_status(payload),
        financial_status=_FINANCIAL.get(as_text(payload.get("financial_status")) or "", "unknown"),
        fulfillment_status=as_text(payload.get("fulfillment_status")),
        channel=as_text(payload.get("source_name")),
        store=as_id(payload.get("location_id")),
        staff=as_id(payload.get("user_id")),
        # `created_at` is the day of the import for orders that were imported.
        placed_at=as_instant(payload.get("processed_at"))
        or as_instant(payload.get("created_at"))
        or changed_at,
        changed_at=changed_at,
        cancelled_at=as_instant(payload.get("cancelled_at")),
        cancel_reason=as_text(payload.get("cancel_reason")),
        note=as_words(payload.get("note")),
        tags=as_tags(payload.get("tags")),
        discount_codes=discount_codes(payload, currency),
        billing_address=address_of(payload.get("billing_address")),
        shipping_address=address_of(payload.get("shipping_address")),
        landing_page=as_text(payload.get("landing_site"), max_length=MAX_NOTE),
        referrer=as_text(payload.get("referring_site"), max_length=MAX_NOTE),
        lines=tuple(_line(line, currency) for line in as_objects(payload.get("line_items"))),
        payments=payments(payload, currency, _PAYMENT) or _payment(payload, currency, changed_at),
        refunds=tuple(
            told
            for refund in as_objects(payload.get("refunds"))[:MAX_PARTS]
            if (told := refund_of(refund, currency, within_range(_refund(refund, currency))))
        ),
        returns=_returns(payload),
        fulfillments=fulfillments(payload, currency, _DELIVERED),
        customer=_buyer(payload),
    )
    return told_order(delivered, order)


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


def _shipping(order: Payload, currency: str) -> int:
    shop_money = as_object(as_object(order.get("total_shipping_price_set")).get("shop_money"))
    if shop_money.get("currency_code") == currency:
        return as_minor(shop_money.get("amount"), currency) or 0
    lines = as_objects(order.get("shipping_lines"))
    return within_range(sum(as_minor(line.get("price"), currency) or 0 for line in lines))


def _refund(refund: Payload, currency: str) -> int:
    """What was paid back, in the order's currency."""
    paid_back = [
        as_minor(transaction.get("amount"), currency) or 0
        for transaction in as_objects(refund.get("transactions"))
        if transaction.get("kind") == "refund"
        and transaction.get("status", "success") == "success"
        and transaction.get("currency", currency) == currency
    ]
    if paid_back:
        return sum(paid_back)
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


def _told_elsewhere(_delivered: Delivered) -> Ignored:
    return Ignored("told_by_orders_updated")


def _data_request(delivered: Delivered) -> Told:
    return told_privacy_request(delivered, _person_asked_for(delivered), kind="data_request")


def _redact(delivered: Delivered) -> Told:
    return told_privacy_request(delivered, _person_asked_for(delivered), kind="redact")


def _person_asked_for(delivered: Delivered) -> PlatformIdentity:
    customer = as_object(delivered.payload.get("customer"))
    identity = PlatformIdentity(
        external_id=as_id(customer.get("id")), email=as_text(customer.get("email"))
    )
    if recognisable(identity) is None:
        raise PayloadNotUnderstood("no customer")
    return identity


def _shop_redact(_delivered: Delivered) -> Ignored:
    """The app was taken off the platform's shop; the shop itself has not asked for anything."""
    return Ignored("shop_redact_kept")


READERS: Final[Mapping[str, Reader]] = {
    "customers/create": _customer,
    "customers/update": _customer,
    "customers/enable": _customer,
    "customers/disable": _customer,
    "customers/delete": _customer_deleted,
    "customers_email_marketing_consent/update": _email_consent,
    "customers_marketing_consent/update": _sms_consent,
    "orders/create": _order,
    "orders/updated": _order,
    "orders/paid": _order,
    "orders/cancelled": _order,
    "orders/fulfilled": _order,
    "orders/partially_fulfilled": _order,
    "orders/delete": _order_deleted,
    # Each of these comes with an `orders/updated` that has the whole order.
    "orders/edited": _told_elsewhere,
    "refunds/create": _told_elsewhere,
    "customers/data_request": _data_request,
    "customers/redact": _redact,
    "shop/redact": _shop_redact,
}
