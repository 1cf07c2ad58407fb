"""`/v1/duplicates`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from services.customer.duplicates.deps import DuplicateServiceDep
from services.customer.duplicates.repository import CandidateFilter, CandidateOrder
from services.customer.duplicates.schemas import (
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
    status: DuplicateStatus = "open",
    customer_id: UUID | None = None,
    min_score: Annotated[int | None, Query(ge=1, le=100)] = None,
    reason: Annotated[Reason | None, Query(description="Among the reasons")] = None,
    sort: Annotated[CandidateOrder, Query(description="`-score`: the likeliest first")] = (
        "-created_at"
    ),
) -> Page[DuplicateRead]:
    """List pairs of customers who may be one person, with reasons and score, newest first."""
    wanted = CandidateFilter(customer_id=customer_id, min_score=min_score, reason=reason)
    rows, cursor = await duplicates.page(status=status, wanted=wanted, sort=sort, request=request)
    data = [DuplicateRead.model_validate(row._mapping) for row in rows]
    return Page(data=data, next_cursor=cursor)


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
    """Decide that two customers are two people (`dismissed`), or reopen the question.

    A dismissed pair is remembered: no later order or import proposes it again.
    """
    pair = await duplicates.decide(duplicate_id, body.status, expected_version=expected_version)
    response.headers["etag"] = etag(pair.version)
    return DuplicateRead.model_validate(pair._mapping)
