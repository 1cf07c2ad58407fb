"""`/v1/customers/{id}/timeline`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Query

from services.customer.deps import TimelineServiceDep
from services.customer.timeline.schemas import TimelineEntryRead
from services.customer.timeline.titles import preferred_language, title
from shared.db.paging import PageRequest
from shared.web.resources import Page, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/customers/{customer_id}/timeline", tag="customers")


@router.get("", operation_id="customers.listTimeline", dependencies=[requires("customers:read")])
async def list_timeline(
    customer_id: UUID,
    timeline: TimelineServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
    types: Annotated[
        str | None,
        Query(
            alias="type",
            max_length=500,
            pattern=r"^[a-z_]+\.[a-z_]+(,[a-z_]+\.[a-z_]+)*$",
            description="Only entries of these types, with commas between",
            examples=["order.placed,order.refunded"],
        ),
    ] = None,
    accept_language: Annotated[str | None, Header(max_length=200)] = None,
) -> Page[TimelineEntryRead]:
    """List everything that happened to a customer, newest first, from every part of the system."""
    rows, cursor = await timeline.page(customer_id, types.split(",") if types else None, request)
    language = preferred_language(accept_language)
    data = [
        TimelineEntryRead(
            id=row.id,
            type=row.type,
            source=row.source,
            occurred_at=row.occurred_at,
            title=title(row.type, row.data, language),
            data=row.data,
        )
        for row in rows
    ]
    return Page(data=data, next_cursor=cursor)
