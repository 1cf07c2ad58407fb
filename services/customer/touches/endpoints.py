"""`/v1/touches` and `/v1/customers/{id}/touches`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, status

from services.customer.touches.deps import TouchServiceDep
from services.customer.touches.schemas import TouchCreate, TouchPage, TouchRead
from shared.db.paging import PageRequest
from shared.web.resources import page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1", tag="touches")


@router.post(
    "/touches",
    status_code=status.HTTP_201_CREATED,
    operation_id="touches.create",
    dependencies=[requires("touches:write")],
)
async def create_touch(body: TouchCreate, touches: TouchServiceDep) -> TouchRead:
    """Record how a customer came to a page. What a lead form is sent with is recorded by itself."""
    return TouchRead.model_validate((await touches.record(body))._mapping)


@router.get(
    "/customers/{customer_id}/touches",
    operation_id="customers.listTouches",
    dependencies=[requires("touches:read")],
)
async def list_touches_of_customer(
    customer_id: UUID,
    touches: TouchServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
) -> TouchPage:
    """List how a customer came, newest first, with the first and the last touch of all."""
    found = await touches.list_of(customer_id, request)
    return TouchPage(
        data=[TouchRead.model_validate(row._mapping) for row in found.rows],
        next_cursor=found.cursor,
        first=TouchRead.model_validate(found.first._mapping) if found.first else None,
        last=TouchRead.model_validate(found.last._mapping) if found.last else None,
    )
