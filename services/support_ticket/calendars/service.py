"""What a shop can do with its calendars."""

from uuid import UUID

from services.support_ticket.calendars.repository import CalendarRepository
from services.support_ticket.calendars.schemas import CalendarPut, CalendarRead
from shared.db.paging import PageRequest
from shared.web.resources import Page, check_version


class CalendarService:
    """The opening hours of one tenant."""

    def __init__(self, *, calendars: CalendarRepository) -> None:
        self._calendars = calendars

    async def get(self, calendar_id: UUID) -> CalendarRead:
        """Raises CalendarNotFound."""
        return await self._calendars.get(calendar_id)

    async def list_page(self, request: PageRequest) -> Page[CalendarRead]:
        """All calendars, oldest first."""
        return await self._calendars.list_page(request)

    async def replace(
        self, calendar_id: UUID, wanted: CalendarPut, *, expected_version: int | None
    ) -> CalendarRead:
        """Write a new version. Raises CalendarNotFound, PreconditionFailed.

        Tickets that are open already are due when they were: their clocks keep the version they
        started with.
        """
        current = await self._calendars.lock(calendar_id)
        check_version(current.version, expected_version)
        await self._calendars.replace(current, name=wanted.name, hours=wanted.hours)
        return await self._calendars.get(calendar_id)
