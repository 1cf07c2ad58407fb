"""Ending sessions, so that this process refuses them at once and every other within seconds."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from gateway.sessions.repository import SessionRepository
from shared.db.unit_of_work import UnitOfWork


class Forgets(Protocol):
    """What knows sessions in this process."""

    def forget(self, session_id: UUID) -> None:
        """Something about a session changed here: look it up anew."""
        ...


class SessionEnding:
    """What others do with the sessions of a member of staff, inside one unit of work."""

    def __init__(self, *, uow: UnitOfWork, live: Forgets) -> None:
        self._uow = uow
        self._sessions = SessionRepository(uow)
        self._live = live

    async def end(self, session_id: UUID, *, reason: str) -> None:
        """End one session."""
        await self._sessions.end(session_id, reason=reason)
        self._forget_after_commit([session_id])

    async def end_all(self, staff_id: UUID, *, reason: str) -> None:
        """Log a member of staff out everywhere."""
        self._forget_after_commit(await self._sessions.end_all(staff_id, reason=reason))

    async def end_others(self, staff_id: UUID, *, but_for: UUID | None, reason: str) -> None:
        """Log a member of staff out everywhere but in one session."""
        if but_for is None:
            await self.end_all(staff_id, reason=reason)
            return
        ended = await self._sessions.end_others(staff_id, but_for=but_for, reason=reason)
        self._forget_after_commit(ended)

    async def feel_change(self, *staff_ids: UUID) -> None:
        """Have what the members may do looked up anew, here at once."""
        self._forget_after_commit(await self._sessions.live_ids(staff_ids))

    def _forget_after_commit(self, session_ids: Sequence[UUID]) -> None:
        async def forget() -> None:
            for session_id in session_ids:
                self._live.forget(session_id)

        self._uow.after_commit(forget)
