"""SQL of sessions and their refresh tokens. Every statement is built once."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, insert, select, update

from gateway.access.opaque import OpaqueToken
from gateway.sessions.models import refresh_token, session
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
_STILL_ON = (session.c.tenant_id == bindparam("tenant"), session.c.ended_at.is_(None))
_ENDING: dict[str, Any] = {"ended_at": bindparam("now"), "end_reason": bindparam("reason")}
_END = update(session).where(*_STILL_ON, session.c.id == bindparam("session_id")).values(_ENDING)
_END_ALL = (
    update(session).where(*_STILL_ON, session.c.staff_id == bindparam("of_staff")).values(_ENDING)
)


class SessionRepository:
    """Sessions of one shop's staff, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def begin(self, session_id: UUID, *, staff_id: UUID, expires_at: datetime) -> None:
        """A new session."""
        row = {
            "tenant_id": self._uow.tenant_id,
            "id": session_id,
            "staff_id": staff_id,
            "created_at": self._uow.clock.now(),
            "expires_at": expires_at,
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

    async def end_all(self, staff_id: UUID, *, reason: str) -> None:
        """End every session of a member of staff."""
        values = {"of_staff": staff_id, "now": self._uow.clock.now(), "reason": reason}
        await self._uow.execute(_END_ALL, {"tenant": self._uow.tenant_id, **values})
