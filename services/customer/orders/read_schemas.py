"""Orders as clients read them."""

from collections.abc import Mapping
from datetime import datetime
from operator import attrgetter
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.customer.orders.part_schemas import (
    OrderFulfillmentRead,
    OrderPaymentRead,
    OrderRefundRead,
    OrderReturnRead,
)
from services.customer.orders.parts import OrderParts
from services.customer.orders.record import FinancialStatus, OrderLine, OrderRecord, OrderStatus
from shared.money import Money, MoneyRead
from shared.pii import pii


class OrderLineRead(BaseModel):
    """One line of an order."""

    title: str
    quantity: int
    unit_price: MoneyRead
    total: MoneyRead
    product_id: str | None
    variant_id: str | None
    sku: str | None
    external_id: str | None = None
    discount: MoneyRead | None = None
    tax: MoneyRead | None = None
    category: str | None = None
    vendor: str | None = None


class OrderAddressRead(BaseModel):
    """Where an order goes, or its bill."""

    name: Annotated[str | None, pii("name")] = None
    phone: Annotated[str | None, pii("phone")] = None
    company: Annotated[str | None, pii("words")] = None
    street: Annotated[str | None, pii("address")] = None
    ward: str | None = None
    district: str | None = None
    city: str | None = None
    province: str | None = None
    country: str | None = None
    postal_code: str | None = None


class DiscountCodeRead(BaseModel):
    """A code that made an order cheaper."""

    code: str
    amount: MoneyRead | None


class OrderSummary(BaseModel):
    """An order without its lines."""

    id: UUID
    object: Literal["order"] = "order"
    customer_id: UUID
    source: str
    external_id: str
    number: str = Field(examples=["#1001"])
    status: OrderStatus
    financial_status: FinancialStatus
    fulfillment_status: str | None
    channel: str | None
    store: str | None
    staff: str | None = None
    total: MoneyRead
    subtotal: MoneyRead
    refunded: MoneyRead
    discount: MoneyRead
    shipping: MoneyRead
    tax: MoneyRead
    placed_at: datetime
    changed_at: datetime
    paid_at: datetime | None = Field(default=None, description="When the last payment came in")
    shipped_at: datetime | None = Field(default=None, description="When the first parcel left")
    delivered_at: datetime | None = Field(default=None, description="When the last one arrived")
    cancelled_at: datetime | None = None
    cancel_reason: Annotated[str | None, pii("words")] = None
    returns_count: int = Field(default=0, description="Returns that were received")
    deleted_at: datetime | None = Field(description="When it went from the system it came from")
    created_at: datetime
    updated_at: datetime
    version: int


class OrderRead(OrderSummary):
    """An order."""

    note: Annotated[str | None, pii("words")] = None
    tags: list[str] = Field(default_factory=list)
    discount_codes: list[DiscountCodeRead] = Field(default_factory=list)
    billing_address: OrderAddressRead | None = None
    shipping_address: OrderAddressRead | None = None
    further_shipping_addresses: list[OrderAddressRead] = Field(default_factory=list)
    contact_email: Annotated[str | None, pii("email")] = Field(
        default=None, description="Where it was confirmed to; maybe not the customer's own"
    )
    contact_phone: Annotated[str | None, pii("phone")] = None
    landing_page: Annotated[str | None, pii("words")] = None
    referrer: Annotated[str | None, pii("words")] = None
    lines: list[OrderLineRead] = Field(default_factory=list)
    payments: list[OrderPaymentRead] = Field(default_factory=list)
    refunds: list[OrderRefundRead] = Field(default_factory=list)
    returns: list[OrderReturnRead] = Field(default_factory=list)
    fulfillments: list[OrderFulfillmentRead] = Field(default_factory=list)


_SUMS: Final = ("total", "subtotal", "refunded", "discount", "shipping", "tax")
_AS_STORED: Final = tuple(
    name for name in OrderSummary.model_fields if name not in {*_SUMS, "object"}
)
_stored_of: Final = attrgetter(*_AS_STORED)
_LINE_AS_STORED: Final = tuple(
    name
    for name in OrderLineRead.model_fields
    if name not in {"unit_price", "total", "discount", "tax"}
)
_stored_of_line: Final = attrgetter(*_LINE_AS_STORED)
_NOTHING_SAID: Final[Mapping[str, Any]] = {
    "note": None,
    "tags": [],
    "billing_address": None,
    "shipping_address": None,
    "further_shipping_addresses": [],
    "contact_email": None,
    "contact_phone": None,
    "landing_page": None,
    "referrer": None,
}


def summary_json(order: OrderRecord) -> dict[str, Any]:
    """An `OrderSummary` as plain data."""
    return {
        "object": "order",
        **dict(zip(_AS_STORED, _stored_of(order), strict=True)),
        **{name: _money(getattr(order, f"{name}_minor"), order.currency) for name in _SUMS},
    }


def order_json(order: OrderRecord, parts: OrderParts) -> dict[str, Any]:
    """An `OrderRead` as plain data: the order with its lines and parts."""
    currency = order.currency
    details = dict(order.details or {})
    codes = details.pop("discount_codes", ())
    for name in ("billing_address", "shipping_address"):
        if name in details:
            details[name] = OrderAddressRead(**details[name]).model_dump()
    if "further_shipping_addresses" in details:
        further = details["further_shipping_addresses"]
        details["further_shipping_addresses"] = [
            OrderAddressRead(**each).model_dump() for each in further
        ]
    return {
        **summary_json(order),
        **_NOTHING_SAID,
        **details,
        "discount_codes": [
            {"code": each["code"], "amount": _money_or_none(each.get("amount_minor"), currency)}
            for each in codes
        ],
        "lines": [_line(line, currency) for line in order.lines],
        "payments": [OrderPaymentRead.of(p, order).model_dump() for p in parts.payments],
        "refunds": [OrderRefundRead.of(p, order).model_dump() for p in parts.refunds],
        "returns": [OrderReturnRead.of(p, order).model_dump() for p in parts.returns],
        "fulfillments": [
            OrderFulfillmentRead.of(p, order).model_dump() for p in parts.fulfillments
        ],
    }


def _line(line: OrderLine, currency: str) -> dict[str, Any]:
    return {
        **dict(zip(_LINE_AS_STORED, _stored_of_line(line), strict=True)),
        "unit_price": _money(line.unit_price_minor, currency),
        "total": _money(line.total_minor, currency),
        "discount": _money_or_none(line.discount_minor, currency),
        "tax": _money_or_none(line.tax_minor, currency),
    }


def _money(minor: int, currency: str) -> dict[str, str]:
    return {"amount": Money(minor, currency).decimal_string(), "currency": currency}


def _money_or_none(minor: int | None, currency: str) -> dict[str, str] | None:
    return _money(minor, currency) if minor is not None else None
