"""`/v1/duplicates`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response, status

from services.customer.duplicates.candidate_repository import CandidateOrder
from services.customer.merges.deps import DuplicateServiceDep
from services.customer.merges.duplicate_schemas import (
    DuplicateCreate,
    DuplicatePatch,
    DuplicateRead,
    DuplicateStatus,
    Reason,
)
from shared.db.paging import PageRequest
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/duplicates", tag="duplicates")


@router.get("", operation_id="duplicates.list", dependencies=[requires("duplicates:read")])
async def list_duplicates(
    duplicates: DuplicateServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
    wanted: Annotated[DuplicateStatus, Query(alias="status")] = "open",
    customer_id: UUID | None = None,
    min_score: Annotated[int | None, Query(ge=1, le=100)] = None,
    reason: Annotated[
        Reason | None,
        Query(
            description="Among the reasons. A page is looked for among 5,000 pairs: where few have "
            "it, one may be short or empty, and `next_cursor` goes on"
        ),
    ] = None,
    sort: Annotated[CandidateOrder, Query(description="`-score`: the likeliest first")] = (
        "-created_at"
    ),
) -> Page[DuplicateRead]:
    """List pairs of customers who may be one person, with reasons and score, newest first.

    With `customer_id` those of one person, by whichever of their records. Who does not see every
    customer sees the pairs of which they see both; a page of those is looked for among 5,000 pairs,
    may be short or empty, and `next_cursor` goes on.
    """
    rows, cursor = await duplicates.page(
        status=wanted,
        customer_id=customer_id,
        min_score=min_score,
        reason=reason,
        sort=sort,
        request=request,
    )
    data = [DuplicateRead.model_validate(row._mapping) for row in rows]
    return Page(data=data, next_cursor=cursor)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="duplicates.create",
    dependencies=[requires("duplicates:write")],
)
async def create_duplicate(
    body: DuplicateCreate, response: Response, duplicates: DuplicateServiceDep
) -> DuplicateRead:
    """Say of two customers that they are two (`dismissed`), or that somebody should look (`open`).

    A pair that was proposed before is decided by it.
    """
    pair = await duplicates.create(body)
    response.headers["location"] = f"/v1/duplicates/{pair.id}"
    response.headers["etag"] = etag(pair.version)
    return DuplicateRead.model_validate(pair._mapping)


@router.get(
    "/{duplicate_id}", operation_id="duplicates.get", dependencies=[requires("duplicates:read")]
)
async def get_duplicate(
    duplicate_id: UUID, response: Response, duplicates: DuplicateServiceDep
) -> DuplicateRead:
    """Get a duplicate candidate."""
    pair = await duplicates.get(duplicate_id)
    response.headers["etag"] = etag(pair.version)
    return DuplicateRead.model_validate(pair._mapping)


@router.patch(
    "/{duplicate_id}", operation_id="duplicates.update", dependencies=[requires("duplicates:write")]
)
async def decide_duplicate(
    duplicate_id: UUID,
    body: DuplicatePatch,
    response: Response,
    duplicates: DuplicateServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> DuplicateRead:
    """Decide that two customers are one (`merged`) or two (`dismissed`), or reopen the question.

    A dismissed pair is remembered: nothing proposes it again, and no merge joins the two, nor
    anybody whom they were merged with, until it is open again. `merge_id` names the merge, which
    can be undone (`POST /v1/merges/{id}/undo`).
    """
    pair = await duplicates.decide(
        duplicate_id,
        body.status,
        survivor_id=body.survivor_id,
        expected_version=expected_version,
    )
    response.headers["etag"] = etag(pair.version)
    return DuplicateRead.model_validate(pair._mapping)
