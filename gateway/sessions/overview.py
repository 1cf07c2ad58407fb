"""Where somebody is logged in, and logging them out there."""

from collections.abc import Sequence
from uuid import UUID

from gateway.sessions.ending import SessionEnding
from gateway.sessions.errors import SessionNotFound
from gateway.sessions.record import SessionRecord
from gateway.sessions.repository import SessionRepository
from gateway.staff.appointing import Appointing
from gateway.staff.repository import StaffRepository
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork


class SessionOverview:
    """The sessions of members of staff, as they and their admins see them."""

    def __init__(self, *, uow: UnitOfWork, ending: SessionEnding, appointing: Appointing) -> None:
        self._sessions = SessionRepository(uow)
        self._staff = StaffRepository(uow)
        self._ending = ending
        self._appointing = appointing

    async def list_own(
        self, staff_id: UUID, request: PageRequest
    ) -> tuple[Sequence[SessionRecord], str | None]:
        """A page of one's own sessions."""
        return await self._sessions.list_newest(staff_id, request)

    async def end_own(self, staff_id: UUID, session_id: UUID) -> None:
        """End one of one's own sessions. Raises SessionNotFound, for another's as well."""
        found = await self._sessions.find(session_id)
        if found is None or found.staff_id != staff_id:
            raise SessionNotFound
        await self._ending.end(session_id, reason="revoked")

    async def end_others(self, staff_id: UUID, *, current: UUID | None) -> None:
        """End all one's own sessions but the one that asks."""
        await self._ending.end_others(staff_id, but_for=current, reason="revoked")

    async def list_of(
        self, staff_id: UUID, request: PageRequest
    ) -> tuple[Sequence[SessionRecord], str | None]:
        """A page of a member's sessions. Raises StaffNotFound."""
        await self._staff.get(staff_id)
        return await self._sessions.list_newest(staff_id, request)

    async def end_all_of(self, staff_id: UUID) -> None:
        """Log a member out everywhere. Raises StaffNotFound, RoleNotGrantable."""
        await self._appointing.check_may_touch(await self._staff.lock(staff_id))
        await self._ending.end_all(staff_id, reason="revoked")
