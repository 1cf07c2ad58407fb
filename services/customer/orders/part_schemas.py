"""Payments, refunds, returns and fulfillments of orders as clients write and read them."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from services.customer.customers.schemas import ExternalId
from services.customer.orders.errors import OrderCurrencyMismatch
from services.customer.orders.parts import (
    MOST_PARTS,
    FulfillmentStatus,
    OrderFulfillment,
    OrderPart,
    OrderPayment,
    OrderRefund,
    OrderReturn,
    PaymentStatus,
    ReturnStatus,
)
from services.customer.orders.record import OrderRecord
from shared.bodies import Body
from shared.ids import new_id
from shared.moments import Instant
from shared.money import Money, MoneyInput, MoneyRead
from shared.pii import pii
from shared.text import NormalisedStr, TextRule


def _not_negative(money: MoneyInput) -> MoneyInput:
    if money.amount.startswith("-"):
        raise ValueError("The amount must not be negative")
    return money


Amount = Annotated[MoneyInput, AfterValidator(_not_negative)]
UNLESS_GIVEN: Final = "Unless given: as it is known already; now for what is new"
Reason = Annotated[str, TextRule(max_length=1000, lines=True)]
Url = Annotated[str, TextRule(max_length=1000), Field(pattern=r"^https?://[^\s]+$")]
PartId = Annotated[
    ExternalId | None,
    Field(
        description="Its id in the order's source: sent again, it is the same. A new one if none",
        examples=["5401"],
    ),
]
ChangedAt = Annotated[
    Instant | None,
    Field(description="When the source last changed it; older news is passed over"),
]


class OrderPartLine(Body):
    """Which goods of an order something is about, and how many."""

    line_id: ExternalId | None = Field(default=None, description="The line's id in its source")
    product_id: ExternalId | None = None
    variant_id: ExternalId | None = None
    sku: ExternalId | None = None
    title: NormalisedStr | None = None
    quantity: int = Field(ge=1, le=1_000_000)
    amount: Amount | None = None

    def plain(self) -> dict[str, Any]:
        """As it is kept: without what was not said, money in minor units."""
        said = self.model_dump(exclude_none=True, exclude={"amount"})
        if self.amount is not None:
            said["amount_minor"] = self.amount.to_money().amount_minor
        return said


PartLines = Annotated[list[OrderPartLine], Field(max_length=1000)]


class PartWrite(Body):
    """What all parts of an order may be told with."""

    external_id: PartId = None
    changed_at: ChangedAt = None

    def amounts(self) -> list[MoneyInput]:
        """Every amount in it."""
        own: MoneyInput | None = getattr(self, "amount", None)
        lines: list[OrderPartLine] = getattr(self, "lines", [])
        amounts = [own, *(line.amount for line in lines)]
        return [amount for amount in amounts if amount is not None]

    def moments(self, pointer: str) -> Iterator[tuple[str, datetime]]:
        """What has to have been by now, and where it was said; itself at `pointer`."""
        if self.changed_at is not None:
            yield f"{pointer}/changed_at", self.changed_at

    def check(self, order: OrderRecord) -> None:
        """Raises OrderCurrencyMismatch."""
        if any(amount.currency != order.currency for amount in self.amounts()):
            raise OrderCurrencyMismatch(order.currency)

    def part(self, *, changed_at: datetime, now: datetime) -> OrderPart:
        """What is told."""
        raise NotImplementedError

    def _base(self, changed_at: datetime, now: datetime) -> dict[str, Any]:
        id_ = new_id()
        return {
            "id": id_,
            "external_id": self.external_id or str(id_),
            "changed_at": self.changed_at or changed_at,
            "created_at": now,
            "updated_at": now,
        }

    def _supposed(self, *moments: str) -> frozenset[str]:
        """Those of these moments that were not told."""
        return frozenset(name for name in moments if getattr(self, name) is None)


class OrderPaymentWrite(PartWrite):
    """Money that came in for an order, or is to."""

    amount: Amount
    status: PaymentStatus = "paid"
    method: NormalisedStr | None = Field(default=None, examples=["momo"])
    reference: NormalisedStr | None = Field(
        default=None, description="What the bank or provider calls it", examples=["FT26060123456"]
    )
    paid_at: Instant | None = Field(
        default=None,
        description="Of a paid one, unless given: as it is known already, or now",
    )

    def part(self, *, changed_at: datetime, now: datetime) -> OrderPayment:
        """What is told."""
        base = self._base(changed_at, now)
        paid_at = self.paid_at or (base["changed_at"] if self.status == "paid" else None)
        return OrderPayment(
            **base,
            status=self.status,
            amount_minor=self.amount.to_money().amount_minor,
            method=self.method,
            reference=self.reference,
            paid_at=paid_at,
            supposed=self._supposed("paid_at") if self.status == "paid" else frozenset(),
        )


class OrderRefundWrite(PartWrite):
    """Money that went back to the customer."""

    amount: Amount
    reason: Reason | None = None
    lines: PartLines = Field(default_factory=list)
    refunded_at: Instant | None = Field(default=None, description=UNLESS_GIVEN)

    def part(self, *, changed_at: datetime, now: datetime) -> OrderRefund:
        """What is told."""
        base = self._base(changed_at, now)
        return OrderRefund(
            **base,
            amount_minor=self.amount.to_money().amount_minor,
            reason=self.reason,
            lines=[line.plain() for line in self.lines],
            refunded_at=self.refunded_at or base["changed_at"],
            supposed=self._supposed("refunded_at"),
        )


class OrderReturnWrite(PartWrite):
    """Goods that the customer sends back. What is paid back for them is a refund of its own."""

    status: ReturnStatus = "requested"
    reason: Reason | None = None
    lines: PartLines = Field(default_factory=list)
    restock: bool | None = Field(default=None, description="Whether they can be sold again")
    requested_at: Instant | None = Field(default=None, description=UNLESS_GIVEN)
    received_at: Instant | None = None

    def part(self, *, changed_at: datetime, now: datetime) -> OrderReturn:
        """What is told."""
        base = self._base(changed_at, now)
        is_received = self.status == "received"
        received = self.received_at or (base["changed_at"] if is_received else None)
        return OrderReturn(
            **base,
            status=self.status,
            reason=self.reason,
            lines=[line.plain() for line in self.lines],
            restock=self.restock,
            requested_at=self.requested_at or received or base["changed_at"],
            received_at=received,
            supposed=self._supposed("requested_at", *(["received_at"] if is_received else [])),
        )


class OrderFulfillmentWrite(PartWrite):
    """A parcel of an order."""

    status: FulfillmentStatus = "shipped"
    carrier: NormalisedStr | None = Field(default=None, examples=["GHN"])
    tracking_number: NormalisedStr | None = Field(default=None, examples=["GHN123456"])
    tracking_url: Url | None = None
    lines: PartLines = Field(default_factory=list)
    shipped_at: Instant | None = None
    delivered_at: Instant | None = None

    def part(self, *, changed_at: datetime, now: datetime) -> OrderFulfillment:
        """What is told."""
        base = self._base(changed_at, now)
        told_at = base["changed_at"]
        delivered = self.delivered_at or (told_at if self.status == "delivered" else None)
        on_its_way = self.status in ("shipped", "delivered")
        supposed = ["shipped_at"] if on_its_way else []
        supposed += ["delivered_at"] if self.status == "delivered" else []
        return OrderFulfillment(
            **base,
            status=self.status,
            carrier=self.carrier,
            tracking_number=self.tracking_number,
            tracking_url=self.tracking_url,
            lines=[line.plain() for line in self.lines],
            shipped_at=self.shipped_at or ((delivered or told_at) if on_its_way else None),
            delivered_at=delivered,
            supposed=self._supposed(*supposed),
        )


Payments = Annotated[list[OrderPaymentWrite], Field(max_length=MOST_PARTS)]
Refunds = Annotated[list[OrderRefundWrite], Field(max_length=MOST_PARTS)]
Returns = Annotated[list[OrderReturnWrite], Field(max_length=MOST_PARTS)]
Fulfillments = Annotated[list[OrderFulfillmentWrite], Field(max_length=MOST_PARTS)]


class OrderPartLineRead(BaseModel):
    """Which goods of an order something is about, and how many."""

    line_id: str | None = None
    product_id: str | None = None
    variant_id: str | None = None
    sku: str | None = None
    title: str | None = None
    quantity: int
    amount: MoneyRead | None = None

    @classmethod
    def of(cls, line: Mapping[str, Any], currency: str) -> Self:
        """The line as it was kept."""
        said = dict(line)
        minor = said.pop("amount_minor", None)
        amount = MoneyRead.of(Money(minor, currency)) if minor is not None else None
        return cls(**said, amount=amount)


class _PartRead(BaseModel):
    """What all parts of an order have."""

    id: UUID
    order_id: UUID
    external_id: str
    changed_at: datetime
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, part: OrderPart, order: OrderRecord) -> Self:
        """The part of an order."""
        columns: dict[str, Any] = part.as_row(order.id)
        if "amount_minor" in columns:
            minor = columns.pop("amount_minor")
            columns["amount"] = MoneyRead.of(Money(minor, order.currency))
        if "lines" in columns:
            columns["lines"] = [OrderPartLineRead.of(x, order.currency) for x in columns["lines"]]
        return cls(**columns)


class OrderPaymentRead(_PartRead):
    """Money that came in for an order, or is to."""

    object: Literal["order_payment"] = "order_payment"
    amount: MoneyRead
    status: PaymentStatus
    method: str | None
    reference: Annotated[str | None, pii("words")]
    paid_at: datetime | None


class OrderRefundRead(_PartRead):
    """Money that went back to the customer."""

    object: Literal["order_refund"] = "order_refund"
    amount: MoneyRead
    reason: Annotated[str | None, pii("words")]
    lines: list[OrderPartLineRead]
    refunded_at: datetime


class OrderReturnRead(_PartRead):
    """Goods that the customer sends back."""

    object: Literal["order_return"] = "order_return"
    status: ReturnStatus
    reason: Annotated[str | None, pii("words")]
    lines: list[OrderPartLineRead]
    restock: bool | None
    requested_at: datetime
    received_at: datetime | None


class OrderFulfillmentRead(_PartRead):
    """A parcel of an order."""

    object: Literal["order_fulfillment"] = "order_fulfillment"
    status: FulfillmentStatus
    carrier: str | None
    tracking_number: Annotated[str | None, pii("contact")]
    tracking_url: Annotated[str | None, pii("words")]
    lines: list[OrderPartLineRead]
    shipped_at: datetime | None
    delivered_at: datetime | None


class OrderPaymentList(BaseModel):
    """All payments of an order, the first known first."""

    data: list[OrderPaymentRead]


class OrderRefundList(BaseModel):
    """All refunds of an order, the first known first."""

    data: list[OrderRefundRead]


class OrderReturnList(BaseModel):
    """All returns of an order, the first known first."""

    data: list[OrderReturnRead]


class OrderFulfillmentList(BaseModel):
    """All fulfillments of an order, the first known first."""

    data: list[OrderFulfillmentRead]
