"""What the customer service tells of what people say about products and orders."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.contracts.event import Contract, Event


class ReviewState(Contract):
    """A review of a product, or a rating of an order. `version` grows with every change.

    `customer_id` is absent when the author was not logged in; what is `private` is for the shop.
    """

    review_id: UUID
    version: int
    kind: Literal["product", "order"]
    customer_id: UUID | None = None
    order_id: UUID | None = None
    product_id: str | None = None
    rating: int
    title: str | None = None
    text: str | None = None
    photos: tuple[str, ...] = ()
    author_name: str | None = None
    verified: bool = False
    status: Literal["pending", "published", "rejected", "private"]
    created_at: datetime
    published_at: datetime | None = None
    answer: str | None = None
    answered_at: datetime | None = None


class ReviewCreated(Event):
    """Somebody said something of a product or an order. Key: the customer, or the review."""

    type: ClassVar[str] = "customer.review_created"
    review: ReviewState


class ReviewUpdated(Event):
    """Its words, status or answer are others now. Key: the customer, or the review."""

    type: ClassVar[str] = "customer.review_updated"
    review: ReviewState


class ReviewPublished(Event):
    """A review is there for everybody to read. Key: the customer, or the review."""

    type: ClassVar[str] = "customer.review_published"
    review: ReviewState
