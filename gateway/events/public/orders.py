"""What people bought, and what they said of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from gateway.events.projection import Amount, From, PublicObject
from gateway.events.public.base import EventBase
from shared.contracts import customer as c
from shared.contracts import reviews as r
from shared.contracts.event import Event
from shared.money import MoneyRead
from shared.pii import pii


class EventOrderLine(PublicObject):
    """One line of an order."""

    product_id: str | None = None
    variant_id: str | None = None
    sku: str | None = None
    title: str
    category: str | None = None
    vendor: str | None = None
    quantity: int
    total: Annotated[MoneyRead, Amount("total_minor")]


class EventOrder(PublicObject):
    """An order as of the event."""

    id: Annotated[UUID, From("order_id")]
    object: Literal["order"] = "order"
    version: int
    customer_id: UUID
    source: str = Field(examples=["shopify"])
    external_id: str = Field(description="As the source names it")
    number: str = Field(examples=["#1001"])
    status: Literal["open", "completed", "cancelled"]
    financial_status: Literal[
        "pending", "paid", "partially_refunded", "refunded", "voided", "unknown"
    ]
    fulfillment_status: str | None = None
    channel: str | None = None
    store: str | None = None
    staff: str | None = None
    total: Annotated[MoneyRead, Amount("total_minor")]
    discount: Annotated[MoneyRead, Amount("discount_minor")]
    shipping: Annotated[MoneyRead, Amount("shipping_minor")]
    tax: Annotated[MoneyRead, Amount("tax_minor")]
    refunded: Annotated[MoneyRead, Amount("refunded_minor")]
    returns_count: int = 0
    placed_at: datetime
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_reason: Annotated[str | None, pii("words")] = None
    lines: list[EventOrderLine]


class EventReview(PublicObject):
    """What somebody said of a product, or of an order, as of the event."""

    id: Annotated[UUID, From("review_id")]
    object: Literal["review"] = "review"
    version: int
    kind: Literal["product", "order"]
    customer_id: UUID | None = None
    order_id: UUID | None = None
    product_id: str | None = None
    rating: int
    title: Annotated[str | None, pii("words")] = None
    text: Annotated[str | None, pii("words")] = None
    photos: list[str] = Field(default_factory=list)
    author_name: Annotated[str | None, pii("name")] = None
    verified: bool = False
    status: Literal["pending", "published", "rejected", "private"]
    created_at: datetime
    published_at: datetime | None = None
    answer: str | None = Field(default=None, description="What the shop says to it")
    answered_at: datetime | None = None


class OrderData(PublicObject):
    """An order."""

    order: EventOrder


class ReviewData(PublicObject):
    """A review of a product, or a rating of an order."""

    review: EventReview


class OrderPlaced(EventBase):
    """A known customer placed an order."""

    type: Literal["order.placed"]
    data: OrderData


class OrderUpdated(EventBase):
    """An order changed."""

    type: Literal["order.updated"]
    data: OrderData


class OrderPaid(EventBase):
    """An order was paid for, also one that came paid."""

    type: Literal["order.paid"]
    data: OrderData


class OrderFulfilled(EventBase):
    """An order is on its way."""

    type: Literal["order.fulfilled"]
    data: OrderData


class OrderDelivered(EventBase):
    """An order has arrived."""

    type: Literal["order.delivered"]
    data: OrderData


class OrderCancelled(EventBase):
    """An order was called off."""

    type: Literal["order.cancelled"]
    data: OrderData


class OrderRefunded(EventBase):
    """More of an order's money went back."""

    type: Literal["order.refunded"]
    data: OrderData


class OrderReturned(EventBase):
    """Goods of an order came back."""

    type: Literal["order.returned"]
    data: OrderData


class ReviewCreated(EventBase):
    """Somebody said something of a product, or of an order."""

    type: Literal["review.created"]
    data: ReviewData


class ReviewUpdated(EventBase):
    """A review has other words, another status or another answer."""

    type: Literal["review.updated"]
    data: ReviewData


class ReviewPublished(EventBase):
    """A review of a product is there for everybody to read."""

    type: Literal["review.published"]
    data: ReviewData


OrderEvent = (
    OrderPlaced
    | OrderUpdated
    | OrderPaid
    | OrderFulfilled
    | OrderDelivered
    | OrderCancelled
    | OrderRefunded
    | OrderReturned
    | ReviewCreated
    | ReviewUpdated
    | ReviewPublished
)

EVENTS: Final[Mapping[type[Event], type[EventBase]]] = {
    c.OrderPlaced: OrderPlaced,
    c.OrderUpdated: OrderUpdated,
    c.OrderPaid: OrderPaid,
    c.OrderFulfilled: OrderFulfilled,
    c.OrderDelivered: OrderDelivered,
    c.OrderCancelled: OrderCancelled,
    c.OrderRefunded: OrderRefunded,
    c.OrderReturned: OrderReturned,
    r.ReviewCreated: ReviewCreated,
    r.ReviewUpdated: ReviewUpdated,
    r.ReviewPublished: ReviewPublished,
}
