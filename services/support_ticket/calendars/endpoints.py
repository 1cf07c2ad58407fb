"""`/v1/business-calendars`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from services.support_ticket.calendars.schemas import CalendarPut, CalendarRead
from services.support_ticket.deps import CalendarServiceDep
from shared.db.paging import PageRequest
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/business-calendars", tag="sla")


@router.get("", operation_id="businessCalendars.list", dependencies=[requires("sla:read")])
async def list_calendars(
    calendars: CalendarServiceDep, paging: Annotated[PageRequest, Depends(page_request)]
) -> Page[CalendarRead]:
    """The shop's business calendars, oldest first."""
    return await calendars.list_page(paging)


@router.get(
    "/{calendar_id}", operation_id="businessCalendars.get", dependencies=[requires("sla:read")]
)
async def get_calendar(
    calendar_id: UUID, calendars: CalendarServiceDep, response: Response
) -> CalendarRead:
    """One business calendar. Its `ETag` names the version, for a later change."""
    found = await calendars.get(calendar_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.put(
    "/{calendar_id}",
    operation_id="businessCalendars.replace",
    dependencies=[requires("sla:write")],
)
async def replace_calendar(
    calendar_id: UUID,
    wanted: CalendarPut,
    calendars: CalendarServiceDep,
    response: Response,
    expected: Annotated[int | None, Depends(if_match)],
) -> CalendarRead:
    """State the opening hours anew: weekly hours, holidays, single days.

    The change counts for tickets opened or reopened from now on. Tickets that are open keep the
    due times they were promised. Send `If-Match` to be sure that nobody else changed it meanwhile.
    """
    replaced = await calendars.replace(calendar_id, wanted, expected_version=expected)
    response.headers["ETag"] = etag(replaced.version)
    return replaced
