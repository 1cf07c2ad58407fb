"""`/v1/tickets/{id}/resolution` and `/v1/ticket-reports/resolutions`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from services.support_ticket.deps import CallerDep, ResolutionServiceDep
from services.support_ticket.resolutions.schemas import (
    ResolutionCreate,
    ResolutionRead,
    ResolutionTotals,
)
from shared.moments import Instant
from shared.web.resources import etag, if_match
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/tickets", tag="tickets")
reports = service_router(prefix="/v1/ticket-reports", tag="ticket-reports")


@router.post(
    "/{ticket_id}/resolution",
    status_code=201,
    operation_id="tickets.resolve",
    dependencies=[requires("tickets:write")],
)
async def resolve_ticket(
    ticket_id: UUID,
    how: ResolutionCreate,
    resolutions: ResolutionServiceDep,
    caller: CallerDep,
    response: Response,
    expected: Annotated[int | None, Depends(if_match)],
) -> ResolutionRead:
    """Settle the request: the ticket becomes `resolved` and the customer is sent a survey, once.

    A ticket that is reopened and resolved again has a resolution and a survey for each episode.
    Answers 409 with `allowed_transitions` when the ticket has ended already.
    """
    ticket, resolution = await resolutions.resolve(
        ticket_id, how, caller, expected_version=expected
    )
    response.headers["ETag"] = etag(ticket.version)
    return resolution


@router.get(
    "/{ticket_id}/resolution",
    operation_id="tickets.getResolution",
    dependencies=[requires("tickets:read")],
)
async def get_resolution(ticket_id: UUID, resolutions: ResolutionServiceDep) -> ResolutionRead:
    """How the ticket's current episode was resolved; 404 while it is not."""
    return await resolutions.get(ticket_id)


@reports.get(
    "/resolutions",
    operation_id="ticketReports.resolutions",
    dependencies=[requires("reports:read")],
)
async def total_resolutions(
    resolutions: ResolutionServiceDep,
    since: Annotated[Instant, Query(description="Resolved at or after")],
    until: Annotated[Instant, Query(description="Resolved before")],
) -> ResolutionTotals:
    """How many requests were settled how in a period, and what it cost, by kind and currency."""
    return ResolutionTotals(data=list(await resolutions.totals(since=since, until=until)))
