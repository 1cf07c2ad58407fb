"""What a session is good for right now: asked on every request, looked up every few seconds."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gateway.access.identity import Identity
from gateway.access.tokens import SessionClaim
from gateway.background import Background
from gateway.cache import TimedCache
from gateway.sessions.repository import SessionRepository
from shared.clock import Clock
from shared.db.unit_of_work import UnitsOfWork
from shared.errors import Unauthenticated
from shared.ids import TenantId
from shared.security.principal import PrincipalKind

USE_NOTED_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Standing:
    staff_id: UUID
    identity: Identity
    ends_at: datetime


class LiveSessions:
    """Whom sessions belong to, with the rights that their member has now.

    One query per session and process in `cache_seconds`. So a revoked session, a changed role, a
    team joined or left and a member locked out are felt everywhere within that time, and here at
    once.
    """

    def __init__(
        self, *, units: UnitsOfWork, clock: Clock, background: Background, cache_seconds: float
    ) -> None:
        self._units = units
        self._clock = clock
        self._background = background
        self._known: TimedCache[UUID, _Standing | None] = TimedCache(
            clock=clock, seconds=cache_seconds
        )

    async def identify(self, claim: SessionClaim) -> Identity:
        """Who acts in a session. Raises Unauthenticated when it has ended."""
        standing = await self._known.get(claim.session_id, lambda: self._load(claim))
        if (
            standing is None
            or standing.staff_id != claim.staff_id
            or standing.ends_at <= self._clock.now()
        ):
            raise Unauthenticated("The session has ended: log in again")
        return standing.identity

    def forget(self, session_id: UUID) -> None:
        """Something about a session changed here: look it up anew."""
        self._known.forget(session_id)

    async def _load(self, claim: SessionClaim) -> _Standing | None:
        async with self._units.begin(claim.tenant_id) as uow:
            found = await SessionRepository(uow).find_live(claim.session_id)
        if found is None or not found.member.active:
            return None
        if self._is_due(found.last_used_at):
            self._background.start("session_use", self._note_use(claim.tenant_id, claim.session_id))
        member = found.member
        identity = Identity(
            claim.tenant_id,
            PrincipalKind.STAFF,
            str(member.id),
            # Whoever owes a second factor can do nothing but set it up.
            frozenset() if member.must_enrol else member.scopes,
            visibility=member.visibility,
            team_ids=member.team_ids,
            session_id=claim.session_id,
        )
        return _Standing(member.id, identity, found.expires_at)

    def _is_due(self, last_used_at: datetime | None) -> bool:
        return last_used_at is None or last_used_at + USE_NOTED_EVERY <= self._clock.now()

    async def _note_use(self, tenant_id: TenantId, session_id: UUID) -> None:
        async with self._units.begin(tenant_id) as uow:
            before = uow.clock.now() - USE_NOTED_EVERY
            await SessionRepository(uow).note_use(session_id, unless_after=before)
            await uow.commit()
