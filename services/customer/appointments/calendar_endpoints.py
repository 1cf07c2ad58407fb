"""`/v1/appointments/calendars`, and the calendars themselves at their secret addresses."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Path, Response, status

from services.customer.appointments.deps import CalendarServiceDep
from services.customer.appointments.rendering import MEDIA_TYPE
from services.customer.appointments.schemas import StaffCalendarCreated, StaffCalendarRead
from shared.web.resources import TELLS_A_SECRET
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/appointments/calendars", tag="appointments")
page_router = service_router(prefix="/pages/calendars", tag="pages")

_WRITE = requires("appointments:write")
_HEADERS: Final = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


@router.put("/{staff_id}", operation_id="appointments.openCalendar", dependencies=[_WRITE])
async def open_calendar(
    staff_id: UUID, response: Response, calendars: CalendarServiceDep
) -> StaffCalendarCreated:
    """Give somebody's calendar a new secret address, for a calendar program to subscribe to.

    The address is told this once, and one given before leads nowhere from now on. Staff who do not
    see everybody's work have their own calendar only.
    """
    response.headers.update(TELLS_A_SECRET)
    return await calendars.open(staff_id)


@router.get(
    "/{staff_id}",
    operation_id="appointments.getCalendar",
    dependencies=[requires("appointments:read")],
)
async def get_calendar(staff_id: UUID, calendars: CalendarServiceDep) -> StaffCalendarRead:
    """Get since when somebody's calendar has its address."""
    return await calendars.get(staff_id)


@router.delete(
    "/{staff_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="appointments.closeCalendar",
    dependencies=[_WRITE],
)
async def close_calendar(staff_id: UUID, calendars: CalendarServiceDep) -> None:
    """Take a calendar its address: whoever knew it reads nothing any more."""
    await calendars.close(staff_id)


@page_router.get(
    "/{token}.ics",
    operation_id="pages.calendar",
    dependencies=[requires("public:pages")],
    response_class=Response,
    responses={200: {"content": {"text/calendar": {}}, "description": "iCalendar (RFC 5545)"}},
)
async def show_calendar(
    token: Annotated[str, Path(max_length=200)], calendars: CalendarServiceDep
) -> Response:
    """The appointments of a member of staff: a month back and a year ahead.

    Customers are named by their code: the file lies with whoever runs the calendar program.
    """
    return Response(await calendars.render(token), media_type=MEDIA_TYPE, headers=_HEADERS)
