"""SQL of sessions and their refresh tokens. Every statement is built once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Text, Uuid, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from gateway.access.opaque import OpaqueToken
from gateway.access.trail import Device
from gateway.sessions.models import refresh_token, session
from gateway.sessions.record import LiveSession, SessionRecord
from gateway.staff.models import staff
from gateway.staff.record import StaffRecord
from gateway.staff.repository import STAFF_COLUMNS, STAFF_SOURCE
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

_ADD_SESSION = insert(session)
_ADD_TOKEN = insert(refresh_token)
_LOCK_TOKEN = (
    select(
        refresh_token.c.digest,
        refresh_token.c.session_id,
        refresh_token.c.expires_at,
        refresh_token.c.spent_at,
        session.c.staff_id,
        session.c.expires_at.label("session_expires_at"),
        session.c.ended_at,
    )
    .join(
        session,
        (session.c.tenant_id == refresh_token.c.tenant_id)
        & (session.c.id == refresh_token.c.session_id),
    )
    .where(
        refresh_token.c.tenant_id == bindparam("tenant"),
        session.c.tenant_id == bindparam("tenant"),
        refresh_token.c.id == bindparam("id"),
    )
    .with_for_update()
)
_SPEND = (
    update(refresh_token)
    .where(
        refresh_token.c.tenant_id == bindparam("tenant"),
        refresh_token.c.id == bindparam("token_id"),
    )
    .values(spent_at=bindparam("now"))
)
_NOW = bindparam("now", type_=Instant)
_STILL_ON = (session.c.tenant_id == bindparam("tenant"), session.c.ended_at.is_(None))
_ENDING: dict[str, Any] = {"ended_at": _NOW, "end_reason": bindparam("reason")}
_OF_STAFF = session.c.staff_id == bindparam("of_staff")
_END = update(session).where(*_STILL_ON, session.c.id == bindparam("session_id")).values(_ENDING)
_END_ALL = update(session).where(*_STILL_ON, _OF_STAFF).values(_ENDING).returning(session.c.id)
_END_OTHERS = (
    update(session)
    .where(*_STILL_ON, _OF_STAFF, session.c.id != bindparam("but_for"))
    .values(_ENDING)
    .returning(session.c.id)
)
_LIVE_IDS = select(session.c.id).where(
    *_STILL_ON,
    session.c.staff_id == func.any(bindparam("of_staff", type_=ARRAY(Uuid))),
    session.c.expires_at > _NOW,
)
_LIST = select(*[session.c[name] for name in SessionRecord.__slots__]).where(
    *_STILL_ON, _OF_STAFF, session.c.expires_at > _NOW
)
_ONE = select(*[session.c[name] for name in SessionRecord.__slots__]).where(
    *_STILL_ON, session.c.expires_at > _NOW, session.c.id == bindparam("id")
)
NEWEST = (
    SortKey(session.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(session.c.id, "id", parse_id, descending=True),
)
# The whole of what a request of staff needs to know, in one query.
_LIVE = (
    select(
        session.c.expires_at.label("session_expires_at"),
        session.c.last_used_at.label("session_last_used_at"),
        *STAFF_COLUMNS,
    )
    .select_from(
        STAFF_SOURCE.join(
            session,
            and_(session.c.tenant_id == staff.c.tenant_id, session.c.staff_id == staff.c.id),
        )
    )
    .where(*_STILL_ON, staff.c.tenant_id == bindparam("tenant"), session.c.id == bindparam("id"))
)
_NOTE_USE = (
    update(session)
    .where(
        *_STILL_ON,
        session.c.id == bindparam("session_id"),
        or_(
            session.c.last_used_at.is_(None),
            session.c.last_used_at <= bindparam("before", type_=Instant),
        ),
    )
    .values(last_used_at=_NOW)
)
_BEFORE = bindparam("before", type_=Instant)
# A token that has expired is refused whoever knows it; until then its second use ends the session.
_FORGET_TOKENS = delete(refresh_token).where(
    refresh_token.c.tenant_id == bindparam("tenant"), refresh_token.c.expires_at < _BEFORE
)
_FORGET = delete(session).where(
    session.c.tenant_id == bindparam("tenant"),
    or_(session.c.ended_at < _BEFORE, session.c.expires_at < _BEFORE),
)
_MOVE = (
    update(session)
    .where(session.c.tenant_id == bindparam("tenant"), session.c.id == bindparam("session_id"))
    .values(
        last_used_at=_NOW,
        user_agent=bindparam("agent", type_=Text),
        client_ip=bindparam("address", type_=Text),
    )
)


class SessionRepository:
    """Sessions of one shop's staff, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def begin(
        self, session_id: UUID, *, staff_id: UUID, expires_at: datetime, device: Device
    ) -> None:
        """A new session."""
        now = self._uow.clock.now()
        row = {
            "tenant_id": self._uow.tenant_id,
            "id": session_id,
            "staff_id": staff_id,
            "created_at": now,
            "last_used_at": now,
            "expires_at": expires_at,
            "user_agent": device.user_agent,
            "client_ip": device.client_ip,
        }
        await self._uow.execute(_ADD_SESSION, row)

    async def add_token(
        self, token: OpaqueToken, *, session_id: UUID, expires_at: datetime
    ) -> None:
        """Keep a refresh token's digest."""
        row = {
            "tenant_id": self._uow.tenant_id,
            "id": token.id,
            "session_id": session_id,
            "digest": token.digest,
            "created_at": self._uow.clock.now(),
            "expires_at": expires_at,
        }
        await self._uow.execute(_ADD_TOKEN, row)

    async def lock_token(self, token_id: UUID) -> Row[*tuple[Any, ...]] | None:
        """A refresh token with its session, both kept from changing until the end."""
        return await self._uow.one_or_none(
            _LOCK_TOKEN, {"tenant": self._uow.tenant_id, "id": token_id}
        )

    async def spend(self, token_id: UUID) -> None:
        """A refresh token is good for once."""
        values = {"token_id": token_id, "now": self._uow.clock.now()}
        await self._uow.execute(_SPEND, {"tenant": self._uow.tenant_id, **values})

    async def end(self, session_id: UUID, *, reason: str) -> None:
        """No token of the session is good any more."""
        values = {"session_id": session_id, "now": self._uow.clock.now(), "reason": reason}
        await self._uow.execute(_END, {"tenant": self._uow.tenant_id, **values})

    async def end_all(self, staff_id: UUID, *, reason: str) -> Sequence[UUID]:
        """End every session of a member of staff; which ones."""
        values = {"of_staff": staff_id, "now": self._uow.clock.now(), "reason": reason}
        return await self._uow.scalars(_END_ALL, {"tenant": self._uow.tenant_id, **values})

    async def end_others(self, staff_id: UUID, *, but_for: UUID, reason: str) -> Sequence[UUID]:
        """End every session of a member of staff but one; which ones."""
        values = {"of_staff": staff_id, "now": self._uow.clock.now(), "reason": reason}
        parameters = {"tenant": self._uow.tenant_id, **values, "but_for": but_for}
        return await self._uow.scalars(_END_OTHERS, parameters)

    async def live_ids(self, staff_ids: Sequence[UUID]) -> Sequence[UUID]:
        """The sessions of members of staff that have not ended."""
        values = {"of_staff": list(staff_ids), "now": self._uow.clock.now()}
        return await self._uow.scalars(_LIVE_IDS, {"tenant": self._uow.tenant_id, **values})

    async def find(self, session_id: UUID) -> SessionRecord | None:
        """A session that has not ended."""
        values = {"id": session_id, "now": self._uow.clock.now()}
        row = await self._uow.one_or_none(_ONE, {"tenant": self._uow.tenant_id, **values})
        return SessionRecord(*row) if row else None

    async def list_newest(
        self, staff_id: UUID, request: PageRequest
    ) -> tuple[Sequence[SessionRecord], str | None]:
        """A page of a member's sessions that have not ended, the newest first."""
        values = {"of_staff": staff_id, "now": self._uow.clock.now()}
        statement = page(_LIST, NEWEST, request)
        rows = await self._uow.rows(statement, {"tenant": self._uow.tenant_id, **values})
        kept, cursor = next_cursor(rows, NEWEST, request.limit)
        return [SessionRecord(*row) for row in kept], cursor

    async def find_live(self, session_id: UUID) -> LiveSession | None:
        """A session that was not ended, with its member as they are now."""
        row = await self._uow.one_or_none(_LIVE, {"tenant": self._uow.tenant_id, "id": session_id})
        if row is None:
            return None
        return LiveSession(StaffRecord.of(row), row.session_expires_at, row.session_last_used_at)

    async def note_use(self, session_id: UUID, *, unless_after: datetime) -> None:
        """Write down that a session was used now, unless that was noted after a time."""
        values = {"session_id": session_id, "now": self._uow.clock.now(), "before": unless_after}
        await self._uow.execute(_NOTE_USE, {"tenant": self._uow.tenant_id, **values})

    async def note_renewal(self, session_id: UUID, device: Device) -> None:
        """Write down from where a session was renewed now."""
        values = {"session_id": session_id, "now": self._uow.clock.now()}
        where = {"agent": device.user_agent, "address": device.client_ip}
        await self._uow.execute(_MOVE, {"tenant": self._uow.tenant_id, **values, **where})

    async def forget(self, *, before: datetime) -> None:
        """Delete sessions that ended before a time, and tokens that had expired by then."""
        values = {"tenant": self._uow.tenant_id, "before": before}
        await self._uow.execute(_FORGET_TOKENS, values)
        await self._uow.execute(_FORGET, values)
