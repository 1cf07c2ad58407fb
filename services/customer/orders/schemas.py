"""Orders as clients write and read them."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, model_validator

from services.customer.customers.schemas import ExternalId, Source
from services.customer.orders.record import (
    FinancialStatus,
    OrderContent,
    OrderLine,
    OrderRecord,
    OrderStatus,
)
from shared.bodies import Body
from shared.moments import Instant
from shared.money import Money, MoneyInput, MoneyRead
from shared.text import NormalisedStr


def _not_negative(money: MoneyInput) -> MoneyInput:
    if money.amount.startswith("-"):
        raise ValueError("The amount must not be negative")
    return money


Amount = Annotated[MoneyInput, AfterValidator(_not_negative)]


class OrderLineWrite(Body):
    """One line of an order."""

    title: NormalisedStr = Field(examples=["Áo dài lụa"])
    quantity: int = Field(ge=0, le=1_000_000)
    unit_price: Amount
    total: Amount
    product_id: ExternalId | None = None
    variant_id: ExternalId | None = None
    sku: ExternalId | None = None


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
    placed_at: Instant | None = Field(default=None, description="Now, unless given")
    changed_at: Instant | None = Field(
        default=None,
        description="When the source last changed it; older news than what is known is passed over",
    )
    lines: Annotated[list[OrderLineWrite], Field(max_length=1000)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_currency(self) -> Self:
        amounts = [self.total, self.refunded, self.discount, self.shipping, self.tax]
        amounts += [amount for line in self.lines for amount in (line.unit_price, line.total)]
        if len({amount.currency for amount in amounts if amount is not None}) > 1:
            raise ValueError("All amounts of an order are in one currency")
        return self

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
        )

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
            )
            for line in self.lines
        )


class OrderLineRead(BaseModel):
    """One line of an order."""

    title: str
    quantity: int
    unit_price: MoneyRead
    total: MoneyRead
    product_id: str | None
    variant_id: str | None
    sku: str | None


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
    total: MoneyRead
    refunded: MoneyRead
    discount: MoneyRead
    shipping: MoneyRead
    tax: MoneyRead
    placed_at: datetime
    changed_at: datetime
    deleted_at: datetime | None = Field(description="When it went from the system it came from")
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, order: OrderRecord) -> Self:
        """The order of a record."""
        money = ("total", "refunded", "discount", "shipping", "tax")
        amounts = {name: _read(getattr(order, f"{name}_minor"), order) for name in money}
        plain = {
            name: getattr(order, name)
            for name in OrderSummary.model_fields
            if name not in {*money, "object"}
        }
        return cls(**plain, **amounts)


class OrderRead(OrderSummary):
    """An order."""

    lines: list[OrderLineRead] = Field(default_factory=list)

    @classmethod
    def of(cls, order: OrderRecord) -> Self:
        """The order of a record, with its lines."""
        read = super().of(order)
        read.lines = [
            OrderLineRead(
                title=line.title,
                quantity=line.quantity,
                unit_price=_read(line.unit_price_minor, order),
                total=_read(line.total_minor, order),
                product_id=line.product_id,
                variant_id=line.variant_id,
                sku=line.sku,
            )
            for line in order.lines
        ]
        return read


def _minor(amount: MoneyInput | None) -> int:
    return amount.to_money().amount_minor if amount else 0


def _read(minor: int, order: OrderRecord) -> MoneyRead:
    return MoneyRead.of(Money(minor, order.currency))
