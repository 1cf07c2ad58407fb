"""SQL of links to a new password. Every statement is built once, when this is imported."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select, update

from gateway.password_resets.letters import Kind
from gateway.password_resets.models import password_reset
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

_TENANT = password_reset.c.tenant_id == bindparam("tenant")
_ADD = insert(password_reset)
_FIND = select(
    password_reset.c.id,
    password_reset.c.staff_id,
    password_reset.c.expires_at,
    password_reset.c.used_at,
).where(_TENANT, password_reset.c.id == bindparam("id"))
_LOCK = _FIND.with_for_update()
_SPEND_ALL = (
    update(password_reset)
    .where(
        _TENANT,
        password_reset.c.staff_id == bindparam("of_staff"),
        password_reset.c.used_at.is_(None),
    )
    .values(used_at=bindparam("now", type_=Instant))
)

_FORGET = delete(password_reset).where(
    _TENANT, password_reset.c.expires_at < bindparam("before", type_=Instant)
)


@dataclass(frozen=True, slots=True)
class Reset:
    """A link that was sent."""

    id: UUID
    staff_id: UUID
    expires_at: datetime
    used_at: datetime | None


class PasswordResetRepository:
    """Links of one shop's staff, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def add(self, reset_id: UUID, *, staff_id: UUID, kind: Kind, ends: datetime) -> None:
        """Know of a link that is sent."""
        row = {
            "tenant_id": self._uow.tenant_id,
            "id": reset_id,
            "staff_id": staff_id,
            "kind": kind,
            "created_at": self._uow.clock.now(),
            "expires_at": ends,
        }
        await self._uow.execute(_ADD, row)

    async def find(self, reset_id: UUID) -> Reset | None:
        """A link, used or not."""
        row = await self._uow.one_or_none(_FIND, {"tenant": self._uow.tenant_id, "id": reset_id})
        return Reset(*row) if row else None

    async def lock(self, reset_id: UUID) -> Reset | None:
        """A link, kept from being used by another until the end."""
        row = await self._uow.one_or_none(_LOCK, {"tenant": self._uow.tenant_id, "id": reset_id})
        return Reset(*row) if row else None

    async def spend_all(self, staff_id: UUID) -> None:
        """No link of a member is good any more."""
        values = {"of_staff": staff_id, "now": self._uow.clock.now()}
        await self._uow.execute(_SPEND_ALL, {"tenant": self._uow.tenant_id, **values})

    async def forget(self, *, before: datetime) -> None:
        """Delete links that had run out before a time."""
        await self._uow.execute(_FORGET, {"tenant": self._uow.tenant_id, "before": before})
