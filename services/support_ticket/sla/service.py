"""What a shop promises its customers."""

from uuid import UUID

from services.support_ticket.calendars.repository import CalendarRepository
from services.support_ticket.sla.repository import SlaPolicyRepository
from services.support_ticket.sla.schemas import SlaPolicyPut, SlaPolicyRead
from shared.db.paging import PageRequest
from shared.web.resources import Page, check_version


class SlaPolicyService:
    """The SLA policies of one tenant."""

    def __init__(self, *, policies: SlaPolicyRepository, calendars: CalendarRepository) -> None:
        self._policies = policies
        self._calendars = calendars

    async def get(self, policy_id: UUID) -> SlaPolicyRead:
        """Raises SlaPolicyNotFound."""
        return await self._policies.get(policy_id)

    async def list_page(self, request: PageRequest) -> Page[SlaPolicyRead]:
        """All policies, oldest first."""
        return await self._policies.list_page(request)

    async def replace(
        self, policy_id: UUID, wanted: SlaPolicyPut, *, expected_version: int | None
    ) -> SlaPolicyRead:
        """Write a new version. Raises SlaPolicyNotFound, CalendarNotFound, PreconditionFailed."""
        current = await self._policies.lock(policy_id)
        check_version(current.version, expected_version)
        await self._calendars.get(wanted.calendar_id)
        await self._policies.replace(current, wanted)
        return await self._policies.get(policy_id)
