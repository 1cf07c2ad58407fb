"""`/v1/reviews`, ratings of orders, and what a customer has said."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response, status

from services.customer.customers.schemas import ExternalId
from services.customer.deps import StaffIdDep
from services.customer.reviews.deps import TRUSTED, ReviewServiceDep, ReviewVotingDep
from services.customer.reviews.moderation import ReviewPolicy, ReviewStatus
from services.customer.reviews.repository import ReviewFilter, ReviewSort
from services.customer.reviews.schemas import (
    OrderRatingPut,
    ProductRatingRead,
    PublishedReview,
    ReviewAnswer,
    ReviewCreate,
    ReviewKind,
    ReviewPolicyPut,
    ReviewPolicyRead,
    ReviewRead,
    ReviewReceipt,
    ReviewReject,
    ReviewVotePut,
    ReviewVoteRead,
    Stars,
    StarsRead,
)
from shared.db.paging import PageRequest
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import PrincipalDep, requires, service_router

router = service_router(prefix="/v1", tag="reviews")

_READ = requires("reviews:read")
_WRITE = requires("reviews:write")
_READ_PUBLISHED = requires("published_reviews:read", shopper="reviews:own")
_OF_ORDER = requires("reviews:write", shopper="reviews:own")
PagingDep = Annotated[PageRequest, Depends(page_request)]
ProductId = Annotated[ExternalId, Query(description="As the lines of orders name it")]


async def review_filter(
    kind: ReviewKind | None = None,
    wanted: Annotated[ReviewStatus | None, Query(alias="status")] = None,
    rating: Stars | None = None,
    verified: Annotated[bool | None, Query(description="Of who has bought it, or not")] = None,
    product_id: Annotated[
        ExternalId | None, Query(description="Reviews of it, and ratings of orders that hold it")
    ] = None,
) -> ReviewFilter:
    """The filters of the list; all that are given must hold."""
    return ReviewFilter(kind, wanted, rating, verified, product_id)


@router.post(
    "/reviews",
    status_code=status.HTTP_201_CREATED,
    operation_id="reviews.create",
    dependencies=[requires("review_submissions:write", shopper="reviews:own")],
    responses={200: {"model": ReviewReceipt, "description": "It was there; it is now as sent"}},
)
async def create_review(
    body: ReviewCreate, response: Response, reviews: ReviewServiceDep, principal: PrincipalDep
) -> ReviewReceipt:
    """Say what you think of a product. A publishable key may do this, as may a shopper.

    A customer has one review of a product: sent again, it is changed. Whoever is not logged in is
    nobody we know, whatever they say, so their review is not verified. It is published at once if
    the shop's policy says so, and waits for somebody to look at it otherwise.
    """
    if body.customer_id is not None:
        principal.require([TRUSTED])
    row, created = await reviews.write(body)
    response.status_code = status.HTTP_201_CREATED if created else status.HTTP_200_OK
    response.headers["location"] = f"/v1/reviews/{row.id}"
    return ReviewReceipt.model_validate(row._mapping)


@router.get("/reviews", operation_id="reviews.list", dependencies=[_READ])
async def list_reviews(
    reviews: ReviewServiceDep,
    wanted: Annotated[ReviewFilter, Depends(review_filter)],
    request: PagingDep,
) -> Page[ReviewRead]:
    """List reviews and ratings of orders, newest first; `status=pending` is what waits for you."""
    rows, cursor = await reviews.page(wanted, request)
    return Page(data=[ReviewRead.of(row) for row in rows], next_cursor=cursor)


@router.get(
    "/reviews/published", operation_id="reviews.listPublished", dependencies=[_READ_PUBLISHED]
)
async def list_published_reviews(
    product_id: ProductId,
    reviews: ReviewServiceDep,
    request: PagingDep,
    sort: ReviewSort = "newest",
) -> Page[PublishedReview]:
    """List what everybody may read of a product. A publishable key may do this.

    `most_helpful` puts those first that most find helpful, of those the newest.
    """
    rows, cursor = await reviews.published(product_id, sort, request)
    data = [PublishedReview.model_validate(row._mapping) for row in rows]
    return Page(data=data, next_cursor=cursor)


@router.get("/reviews/summary", operation_id="reviews.summary", dependencies=[_READ_PUBLISHED])
async def summarise_reviews(
    product_id: ProductId, reviews: ReviewServiceDep, principal: PrincipalDep
) -> ProductRatingRead:
    """Get how many have given a product how many stars. A publishable key may do this."""
    found = await reviews.ratings_of(product_id)
    sees_orders = "reviews:read" in principal.scopes
    return ProductRatingRead(
        product_id=product_id,
        reviews=StarsRead.of(found.get("product")),
        orders=StarsRead.of(found.get("order")) if sees_orders else None,
    )


@router.get("/reviews/policy", operation_id="reviews.getPolicy", dependencies=[_READ])
async def get_review_policy(response: Response, reviews: ReviewServiceDep) -> ReviewPolicyRead:
    """Get which reviews are published without a look."""
    return _policy(response, *await reviews.policy())


@router.put(
    "/reviews/policy",
    operation_id="reviews.putPolicy",
    dependencies=[requires("settings:write")],
)
async def put_review_policy(
    body: ReviewPolicyPut,
    response: Response,
    reviews: ReviewServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> ReviewPolicyRead:
    """Decide which reviews are published without a look, from now on."""
    return _policy(response, *await reviews.put_policy(body, expected_version=expected_version))


@router.get("/reviews/{review_id}", operation_id="reviews.get", dependencies=[_READ])
async def get_review(review_id: UUID, response: Response, reviews: ReviewServiceDep) -> ReviewRead:
    """Get a review."""
    row = await reviews.get(review_id)
    response.headers["etag"] = etag(row.version)
    return ReviewRead.of(row)


@router.put(
    "/reviews/{review_id}/vote",
    operation_id="reviews.vote",
    dependencies=[requires("review_submissions:write", shopper="reviews:own")],
)
async def vote_for_review(
    review_id: UUID, body: ReviewVotePut, voting: ReviewVotingDep, principal: PrincipalDep
) -> ReviewVoteRead:
    """Say that a published review is helpful, or not any more. A publishable key may do this.

    A customer has one vote, however often it is sent, and none for their own review. Whoever is not
    logged in has one from their address.
    """
    if body.customer_id is not None:
        principal.require([TRUSTED])
    row = await voting.vote(review_id, body)
    return ReviewVoteRead(review_id=row.id, helpful=body.helpful, helpful_count=row.helpful_count)


@router.post("/reviews/{review_id}/publish", operation_id="reviews.publish", dependencies=[_WRITE])
async def publish_review(
    review_id: UUID,
    response: Response,
    reviews: ReviewServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> ReviewRead:
    """Let everybody read a review. Done twice, it is done once.

    Its author may change it at any time: `If-Match` makes sure that it is what you have read.
    """
    row = await reviews.publish(review_id, expected_version=expected_version)
    response.headers["etag"] = etag(row.version)
    return ReviewRead.of(row)


@router.post("/reviews/{review_id}/reject", operation_id="reviews.reject", dependencies=[_WRITE])
async def reject_review(
    review_id: UUID,
    body: ReviewReject,
    response: Response,
    reviews: ReviewServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> ReviewRead:
    """Let nobody read a review, also one that was published."""
    row = await reviews.reject(review_id, reason=body.reason, expected_version=expected_version)
    response.headers["etag"] = etag(row.version)
    return ReviewRead.of(row)


@router.put("/reviews/{review_id}/answer", operation_id="reviews.answer", dependencies=[_WRITE])
async def answer_review(
    review_id: UUID, body: ReviewAnswer, reviews: ReviewServiceDep, staff_id: StaffIdDep
) -> ReviewRead:
    """Say something to a review in the shop's name; others read it with the review."""
    return ReviewRead.of(await reviews.answer(review_id, body.text, staff_id=staff_id))


@router.get("/orders/{order_id}/rating", operation_id="orders.getRating", dependencies=[_OF_ORDER])
async def get_order_rating(
    order_id: UUID, response: Response, reviews: ReviewServiceDep
) -> ReviewRead:
    """Get what the customer said of an order."""
    row = await reviews.rating_of(order_id)
    response.headers["etag"] = etag(row.version)
    return ReviewRead.of(row)


@router.put(
    "/orders/{order_id}/rating",
    operation_id="orders.putRating",
    dependencies=[_OF_ORDER],
    responses={201: {"model": ReviewRead, "description": "It had not been rated before"}},
)
async def put_order_rating(
    order_id: UUID, body: OrderRatingPut, response: Response, reviews: ReviewServiceDep
) -> ReviewRead:
    """Keep what the customer says of an order: one rating, which may be changed.

    The shop reads it, and sees it with each product of the order; it is never published.
    """
    row, created = await reviews.rate_order(order_id, body)
    response.status_code = status.HTTP_201_CREATED if created else status.HTTP_200_OK
    response.headers["etag"] = etag(row.version)
    return ReviewRead.of(row)


@router.get(
    "/customers/{customer_id}/reviews", operation_id="customers.listReviews", dependencies=[_READ]
)
async def list_reviews_of_customer(
    customer_id: UUID, reviews: ReviewServiceDep, request: PagingDep
) -> Page[ReviewRead]:
    """List what a customer has said of products and orders, all records of the person together."""
    rows, cursor = await reviews.page_of(customer_id, request)
    return Page(data=[ReviewRead.of(row) for row in rows], next_cursor=cursor)


def _policy(response: Response, policy: ReviewPolicy, version: int) -> ReviewPolicyRead:
    response.headers["etag"] = etag(version)
    return ReviewPolicyRead(
        auto_publish=policy.auto_publish, from_stars=policy.from_stars, version=version
    )
