"""Reviews and ratings as clients write and read them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Row

from services.customer.customers.schemas import ExternalId
from services.customer.reviews.moderation import (
    TRANSITIONS,
    AutoPublish,
    ReviewStatus,
    ReviewSuspicion,
)
from shared.bodies import Body
from shared.pii import pii
from shared.text import Name, NormalisedStr, TextRule

Stars = Annotated[int, Field(ge=1, le=5)]
ReviewText = Annotated[str, TextRule(max_length=5000, lines=True)]
PhotoUrl = Annotated[str, TextRule(max_length=1000), Field(pattern=r"^https://[^\s]+$")]
ReviewKind = Literal["product", "order"]


class ReviewCreate(Body):
    """What somebody says of a product."""

    product_id: ExternalId = Field(description="As the lines of orders name it")
    rating: Stars
    title: NormalisedStr | None = None
    text: ReviewText | None = None
    photos: Annotated[list[PhotoUrl], Field(max_length=10)] = Field(default_factory=list)
    author_name: Name | None = Field(default=None, description="What others are to read")
    honeypot: Annotated[str, Field(max_length=1000)] = Field(
        default="", description="Of a field that people do not see; programs fill it in"
    )
    customer_id: UUID | None = Field(
        default=None, description="Who wrote it, when you know. Needs `reviews:write`"
    )


class ReviewReceipt(BaseModel):
    """A review was taken in."""

    id: UUID
    object: Literal["review_receipt"] = "review_receipt"
    product_id: str
    status: ReviewStatus
    verified: bool = Field(description="Whether they have bought it, if we know them")
    created_at: datetime
    updated_at: datetime


class ReviewVotePut(Body):
    """Whether somebody finds a review helpful."""

    helpful: bool = Field(description="False takes the vote back")
    customer_id: UUID | None = Field(
        default=None, description="Whose vote it is, when you know. Needs `reviews:write`"
    )


class ReviewVoteRead(BaseModel):
    """What somebody thinks of a review now, and how many find it helpful."""

    review_id: UUID
    object: Literal["review_vote"] = "review_vote"
    helpful: bool
    helpful_count: int


class ReviewReject(Body):
    """Why a review is not to be read by others."""

    reason: ReviewText = Field(examples=["Quảng cáo"])


class ReviewAnswer(Body):
    """What the shop says to a review; `null` takes the answer back."""

    text: ReviewText | None


class ReviewRead(BaseModel):
    """What somebody says of a product, or of their order."""

    id: UUID
    object: Literal["review"] = "review"
    kind: ReviewKind
    customer_id: UUID | None
    order_id: UUID | None
    product_id: str | None
    rating: int
    title: Annotated[str | None, pii("words")]
    text: Annotated[str | None, pii("words")]
    photos: list[str]
    author_name: Annotated[str | None, pii("name")]
    verified: bool = Field(description="Whether the customer has bought the product")
    status: ReviewStatus = Field(description="A rating of an order is `private`")
    allowed_transitions: list[ReviewStatus]
    reason: str | None = Field(description="Why it was rejected")
    suspicions: list[ReviewSuspicion]
    answer: str | None
    answered_by: UUID | None
    answered_at: datetime | None
    helpful_count: int = Field(description="How many find it helpful")
    published_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The review of a row."""
        return cls.model_validate({**row._mapping, "allowed_transitions": TRANSITIONS[row.status]})


class PublishedReview(BaseModel):
    """A review for everybody to read; its author has published it, so nothing of it is masked."""

    id: UUID
    object: Literal["published_review"] = "published_review"
    product_id: str
    rating: int
    title: str | None
    text: str | None
    photos: list[str]
    author_name: str | None
    verified: bool
    answer: str | None
    answered_at: datetime | None
    helpful_count: int = Field(description="How many find it helpful")
    published_at: datetime
    created_at: datetime


class StarsRead(BaseModel):
    """How many have given how many stars."""

    count: int
    average: float | None = Field(description="Two decimals; null when there are none")
    distribution: dict[str, int] = Field(
        examples=[{"1": 0, "2": 0, "3": 1, "4": 4, "5": 12}], description="By number of stars"
    )
    verified_share: float | None = Field(description="Of those who have bought it, 0 to 1")
    helpful_votes: int = Field(description="How many find one of them helpful, together")

    @classmethod
    def of(cls, row: Mapping[str, Any] | None) -> Self:
        """The figures of a row, or none."""
        given = {stars: (row[f"stars_{stars}"] if row else 0) for stars in range(1, 6)}
        count = sum(given.values())
        stars_given = sum(stars * times for stars, times in given.items())
        return cls(
            count=count,
            average=round(stars_given / count, 2) if count else None,
            distribution={str(stars): times for stars, times in given.items()},
            verified_share=round(row["verified_count"] / count, 4) if row and count else None,
            helpful_votes=row["helpful_count"] if row else 0,
        )


class ProductRatingRead(BaseModel):
    """What a product's published reviews come to, and the ratings of orders that hold it."""

    product_id: str
    object: Literal["product_rating"] = "product_rating"
    reviews: StarsRead
    orders: StarsRead | None = Field(
        description="For callers with `reviews:read`; null for everybody else"
    )


class OrderRatingPut(Body):
    """What a customer says of an order."""

    rating: Stars
    text: ReviewText | None = None


class ReviewPolicyPut(Body):
    """Which reviews are published without a look."""

    auto_publish: AutoPublish = Field(
        description="`verified`: of logged-in customers who have bought the product"
    )
    from_stars: Stars = 1


class ReviewPolicyRead(BaseModel):
    """Which reviews are published without a look."""

    object: Literal["review_policy"] = "review_policy"
    auto_publish: AutoPublish
    from_stars: int
    version: int = Field(description="0 until the shop has decided")
