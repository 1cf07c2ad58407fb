"""`/v1/appointments`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response, status

from services.customer.appointments.deps import AppointmentServiceDep
from services.customer.appointments.repository import AppointmentFilter
from services.customer.appointments.schemas import (
    AppointmentCreate,
    AppointmentPatch,
    AppointmentRead,
    AppointmentStatus,
)
from services.customer.appointments.service import described
from services.customer.deps import StaffIdDep
from shared.db.paging import PageRequest
from shared.moments import Instant
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/appointments", tag="appointments")

_READ = requires("appointments:read")
_WRITE = requires("appointments:write")


async def appointment_filter(
    status: AppointmentStatus | None = None,
    staff_id: UUID | None = None,
    starts_from: Annotated[Instant | None, Query(alias="starts_at[gte]")] = None,
    starts_until: Annotated[Instant | None, Query(alias="starts_at[lt]")] = None,
) -> AppointmentFilter:
    """The filters of the list; all that are given must hold."""
    return AppointmentFilter(
        status=status, staff_id=staff_id, starts_from=starts_from, starts_until=starts_until
    )


@router.get("", operation_id="appointments.list", dependencies=[_READ])
async def list_appointments(
    appointments: AppointmentServiceDep,
    wanted: Annotated[AppointmentFilter, Depends(appointment_filter)],
    request: Annotated[PageRequest, Depends(page_request)],
    customer_id: UUID | None = None,
) -> Page[AppointmentRead]:
    """List appointments in the order in which they begin; `starts_at[gte]` leaves out past ones.

    With `customer_id` those of one person, all records. Without it, staff who see their own work
    see their own appointments; staff who see their teams' work also those of their teammates.
    """
    rows, cursor = await appointments.page(customer_id, wanted, request)
    return Page(data=[described(row) for row in rows], next_cursor=cursor)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="appointments.create",
    dependencies=[_WRITE],
)
async def create_appointment(
    body: AppointmentCreate,
    response: Response,
    appointments: AppointmentServiceDep,
    staff_id: StaffIdDep,
) -> AppointmentRead:
    """Make an appointment. Nobody is booked twice for the same time (409), unless `overbook`."""
    row = await appointments.create(body, caller_id=staff_id)
    response.headers["location"] = f"/v1/appointments/{row.id}"
    response.headers["etag"] = etag(row.version)
    return described(row)


@router.get("/{appointment_id}", operation_id="appointments.get", dependencies=[_READ])
async def get_appointment(
    appointment_id: UUID, response: Response, appointments: AppointmentServiceDep
) -> AppointmentRead:
    """Get an appointment."""
    row = await appointments.get(appointment_id)
    response.headers["etag"] = etag(row.version)
    return described(row)


@router.patch("/{appointment_id}", operation_id="appointments.update", dependencies=[_WRITE])
async def update_appointment(
    appointment_id: UUID,
    body: AppointmentPatch,
    response: Response,
    appointments: AppointmentServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> AppointmentRead:
    """Move an appointment, give it to somebody else, say whether it was kept, or cancel it.

    What is moved is reminded of again, before its new time.
    """
    row = await appointments.change(appointment_id, body, expected_version=expected_version)
    response.headers["etag"] = etag(row.version)
    return described(row)
