"""`/v1/legal-holds`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response, status

from services.customer.privacy.deps import LegalHoldServiceDep
from services.customer.privacy.schemas import LegalHoldCreate, LegalHoldRead
from shared.db.paging import PageRequest
from shared.web.resources import Page, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/legal-holds", tag="privacy")


@router.get("", operation_id="legalHolds.list", dependencies=[requires("privacy:read")])
async def list_legal_holds(
    holds: LegalHoldServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
    customer_id: UUID | None = None,
) -> Page[LegalHoldRead]:
    """List legal holds, newest first, those that have ended, too."""
    rows, cursor = await holds.page(customer_id, request)
    data = [LegalHoldRead.model_validate(row._mapping) for row in rows]
    return Page(data=data, next_cursor=cursor)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="legalHolds.create",
    dependencies=[requires("privacy:write")],
)
async def create_legal_hold(
    body: LegalHoldCreate, response: Response, holds: LegalHoldServiceDep
) -> LegalHoldRead:
    """Forbid to erase a customer, for a reason, for a time or until it is released."""
    row = await holds.place(body)
    response.headers["location"] = f"/v1/legal-holds/{row.id}"
    return LegalHoldRead.model_validate(row._mapping)


@router.get("/{hold_id}", operation_id="legalHolds.get", dependencies=[requires("privacy:read")])
async def get_legal_hold(hold_id: UUID, holds: LegalHoldServiceDep) -> LegalHoldRead:
    """Get a legal hold."""
    return LegalHoldRead.model_validate((await holds.get(hold_id))._mapping)


@router.post(
    "/{hold_id}/release",
    operation_id="legalHolds.release",
    dependencies=[requires("privacy:write")],
)
async def release_legal_hold(hold_id: UUID, holds: LegalHoldServiceDep) -> LegalHoldRead:
    """End a legal hold."""
    return LegalHoldRead.model_validate((await holds.release(hold_id))._mapping)
