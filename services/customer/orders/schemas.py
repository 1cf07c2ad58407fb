"""Orders as clients write them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Final, Self
from uuid import UUID

from pydantic import Field, model_validator

from services.customer.customers.schemas import ExternalId, Source
from services.customer.orders.part_schemas import (
    UNLESS_GIVEN,
    Amount,
    Fulfillments,
    PartWrite,
    Payments,
    Reason,
    Refunds,
    Returns,
)
from services.customer.orders.parts import OrderPart
from services.customer.orders.record import (
    FinancialStatus,
    OrderContent,
    OrderLine,
    OrderStatus,
)
from shared.bodies import Body
from shared.moments import Instant
from shared.money import BIGINT_MAX, MoneyInput
from shared.text import Name, NormalisedStr, TextRule

_PARTS: Final = ("payments", "refunds", "returns", "fulfillments")

PageAddress = Annotated[str, TextRule(max_length=2000)]
OrderTag = Annotated[str, TextRule(max_length=64)]


class OrderAddress(Body):
    """Where an order goes, or its bill, as the source has it."""

    name: Name | None = None
    phone: NormalisedStr | None = None
    company: NormalisedStr | None = None
    street: NormalisedStr | None = Field(default=None, examples=["12 Lê Lợi"])
    ward: NormalisedStr | None = None
    district: NormalisedStr | None = None
    city: NormalisedStr | None = None
    province: NormalisedStr | None = None
    country: NormalisedStr | None = Field(default=None, examples=["VN"])
    postal_code: NormalisedStr | None = None


class DiscountCode(Body):
    """A code that made an order cheaper."""

    code: NormalisedStr = Field(examples=["TET2027"])
    amount: Amount | None = None


class OrderLineWrite(Body):
    """One line of an order."""

    title: NormalisedStr = Field(examples=["Áo dài lụa"])
    quantity: int = Field(ge=0, le=1_000_000)
    unit_price: Amount
    total: Amount
    product_id: ExternalId | None = None
    variant_id: ExternalId | None = None
    sku: ExternalId | None = None
    external_id: ExternalId | None = Field(default=None, description="The line's id in its source")
    discount: Amount | None = None
    tax: Amount | None = None
    category: NormalisedStr | None = Field(default=None, examples=["Áo dài"])
    vendor: NormalisedStr | None = None


class OrderCreate(Body):
    """An order of a customer. All amounts are in one currency."""

    customer_id: UUID
    source: Source = "api"
    external_id: ExternalId = Field(
        description="The order's id in its source: sent again, it is the same order"
    )
    number: NormalisedStr | None = Field(default=None, description="What people call the order")
    status: OrderStatus = "open"
    financial_status: FinancialStatus = Field(
        description="`paid`, `partially_refunded` and `refunded` orders count as spent money"
    )
    fulfillment_status: NormalisedStr | None = None
    channel: NormalisedStr | None = Field(default=None, examples=["pos"])
    store: NormalisedStr | None = Field(default=None, examples=["Chi nhánh Lê Lợi"])
    total: Amount
    refunded: Amount | None = None
    discount: Amount | None = None
    shipping: Amount | None = None
    tax: Amount | None = None
    placed_at: Instant | None = Field(default=None, description=UNLESS_GIVEN)
    changed_at: Instant | None = Field(
        default=None,
        description="When the source last changed it; older news than what is known is passed over",
    )
    lines: Annotated[list[OrderLineWrite], Field(max_length=1000)] = Field(default_factory=list)
    staff: NormalisedStr | None = Field(
        default=None, description="Who sold it, as the source names them", examples=["NV012"]
    )
    cancelled_at: Instant | None = None
    cancel_reason: Reason | None = None
    note: Reason | None = None
    tags: Annotated[list[OrderTag], Field(max_length=50)] = Field(default_factory=list)
    discount_codes: Annotated[list[DiscountCode], Field(max_length=50)] = Field(
        default_factory=list
    )
    billing_address: OrderAddress | None = None
    shipping_address: OrderAddress | None = None
    landing_page: PageAddress | None = Field(
        default=None, description="Where the visit began that led to it"
    )
    referrer: PageAddress | None = None
    payments: Payments | None = Field(
        default=None, description="News of payments; those that are not named stay as they are"
    )
    refunds: Refunds | None = None
    returns: Returns | None = None
    fulfillments: Fulfillments | None = None

    @model_validator(mode="after")
    def _one_currency(self) -> Self:
        amounts = [self.total, self.refunded, self.discount, self.shipping, self.tax]
        for line in self.lines:
            amounts += [line.unit_price, line.total, line.discount, line.tax]
        amounts += [code.amount for code in self.discount_codes]
        amounts += [amount for part in self._parts() for amount in part.amounts()]
        if len({amount.currency for amount in amounts if amount is not None}) > 1:
            raise ValueError("All amounts of an order are in one currency")
        if sum(_minor(line.total) for line in self.lines) > BIGINT_MAX:
            raise ValueError("The lines add up to more than can be kept")
        return self

    def moments(self) -> Iterator[tuple[str, datetime]]:
        """What has to have been by now, and where in the body it was said."""
        for name in ("placed_at", "changed_at"):
            if (moment := getattr(self, name)) is not None:
                yield f"/body/{name}", moment
        for name in _PARTS:
            for position, part in enumerate(getattr(self, name) or ()):
                yield from part.moments(f"/body/{name}/{position}")

    def content(self, *, placed_at: datetime, changed_at: datetime) -> OrderContent:
        """What is said of the order, money in minor units."""
        return OrderContent(
            source=self.source,
            scope=self.source,
            external_id=self.external_id,
            number=self.number or self.external_id,
            status=self.status,
            financial_status=self.financial_status,
            fulfillment_status=self.fulfillment_status,
            channel=self.channel,
            store=self.store,
            currency=self.total.currency,
            total_minor=_minor(self.total),
            subtotal_minor=sum(_minor(line.total) for line in self.lines),
            discount_minor=_minor(self.discount),
            shipping_minor=_minor(self.shipping),
            tax_minor=_minor(self.tax),
            refunded_minor=_minor(self.refunded),
            placed_at=placed_at,
            changed_at=changed_at,
            staff=self.staff,
            cancelled_at=self.cancelled_at,
            cancel_reason=self.cancel_reason,
            details=self._details(),
        )

    def parts(self, *, changed_at: datetime, now: datetime) -> tuple[OrderPart, ...]:
        """Payments, refunds, returns and fulfillments."""
        return tuple(part.part(changed_at=changed_at, now=now) for part in self._parts())

    def order_lines(self) -> tuple[OrderLine, ...]:
        """The lines, money in minor units."""
        return tuple(
            OrderLine(
                title=line.title,
                quantity=line.quantity,
                unit_price_minor=_minor(line.unit_price),
                total_minor=_minor(line.total),
                product_id=line.product_id,
                variant_id=line.variant_id,
                sku=line.sku,
                external_id=line.external_id,
                discount_minor=_minor_or_none(line.discount),
                tax_minor=_minor_or_none(line.tax),
                category=line.category,
                vendor=line.vendor,
            )
            for line in self.lines
        )

    def _parts(self) -> list[PartWrite]:
        return [part for name in _PARTS for part in getattr(self, name) or ()]

    def _details(self) -> dict[str, Any] | None:
        """What is shown and never looked for; without what was not said."""
        said: dict[str, Any] = {
            "note": self.note,
            "tags": self.tags,
            "discount_codes": [
                {"code": each.code, "amount_minor": _minor_or_none(each.amount)}
                for each in self.discount_codes
            ],
            "billing_address": _plain(self.billing_address),
            "shipping_address": _plain(self.shipping_address),
            "landing_page": self.landing_page,
            "referrer": self.referrer,
        }
        return {name: value for name, value in said.items() if value} or None


class OrderCancel(Body):
    """An order is called off."""

    reason: Reason | None = Field(default=None, examples=["Khách đổi ý"])
    cancelled_at: Instant | None = Field(default=None, description="Now, unless given")


def _minor(amount: MoneyInput | None) -> int:
    return amount.to_money().amount_minor if amount else 0


def _minor_or_none(amount: MoneyInput | None) -> int | None:
    return amount.to_money().amount_minor if amount is not None else None


def _plain(address: OrderAddress | None) -> dict[str, Any] | None:
    return address.model_dump(exclude_none=True) if address is not None else None
