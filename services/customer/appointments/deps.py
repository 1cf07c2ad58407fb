"""How the endpoints of `appointments` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.appointments.calendar_repository import CalendarRepository
from services.customer.appointments.calendars import CalendarService
from services.customer.appointments.repository import AppointmentRepository
from services.customer.appointments.service import AppointmentService
from services.customer.colleagues.repository import ColleagueRepository
from services.customer.deps import AskedDep
from services.customer.families.seen import SeenPeople
from services.customer.timeline.repository import TimelineRepository


async def appointment_service(asked: AskedDep) -> AppointmentService:
    """What clients can do with appointments."""
    uow, sight = asked.uow, asked.sight
    return AppointmentService(
        uow=uow,
        appointments=AppointmentRepository(uow, sight=sight),
        people=SeenPeople(uow, sight=sight),
        timeline=TimelineRepository(uow),
    )


async def calendar_service(asked: AskedDep) -> CalendarService:
    """The calendars of staff."""
    return CalendarService(
        uow=asked.uow,
        calendars=CalendarRepository(asked.uow),
        colleagues=ColleagueRepository(asked.uow),
        sight=asked.sight,
        public_url=asked.part.settings.public_url,
    )


AppointmentServiceDep = Annotated[AppointmentService, Depends(appointment_service)]
CalendarServiceDep = Annotated[CalendarService, Depends(calendar_service)]
