"""SQL of second factors. Every statement is built once, when this is imported."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from gateway.second_factor.models import recovery_code, second_factor
from shared.db.rows import RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id

_OWN = (
    second_factor.c.tenant_id == bindparam("tenant"),
    second_factor.c.staff_id == bindparam("of_staff"),
)
_OWN_CODES = (
    recovery_code.c.tenant_id == bindparam("tenant"),
    recovery_code.c.staff_id == bindparam("of_staff"),
)
_NOW = bindparam("now", type_=Instant)
_LOCK = (
    select(second_factor.c.sealed_secret, second_factor.c.last_step, second_factor.c.confirmed_at)
    .where(*_OWN)
    .with_for_update()
)
_begun = insert(second_factor)
_BEGIN = _begun.on_conflict_do_update(
    index_elements=["tenant_id", "staff_id"],
    set_={
        "sealed_secret": _begun.excluded.sealed_secret,
        "last_step": None,
        "created_at": _begun.excluded.created_at,
    },
    where=second_factor.c.confirmed_at.is_(None),
)
_CONFIRM = update(second_factor).where(*_OWN).values(confirmed_at=_NOW)
_SPEND_STEP = update(second_factor).where(*_OWN).values(last_step=bindparam("step"))
_DELETE = delete(second_factor).where(*_OWN)
_DELETE_CODES = delete(recovery_code).where(*_OWN_CODES)
_codes = RowsParameter("codes", recovery_code, ("id", "digest"))
_ADD_CODES = (
    insert(recovery_code)
    .from_select(
        ["tenant_id", "id", "staff_id", "digest", "created_at"],
        select(
            bindparam("tenant", type_=recovery_code.c.tenant_id.type),
            _codes.source.c.id,
            bindparam("of_staff", type_=recovery_code.c.staff_id.type),
            _codes.source.c.digest,
            _NOW,
        ),
    )
    .on_conflict_do_nothing(index_elements=["tenant_id", "id"])
)
_SPEND_CODE = (
    update(recovery_code)
    .where(
        *_OWN_CODES,
        recovery_code.c.digest == bindparam("given"),
        recovery_code.c.used_at.is_(None),
    )
    .values(used_at=_NOW)
)
_COUNT_CODES = select(func.count()).where(*_OWN_CODES, recovery_code.c.used_at.is_(None))


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A second factor, confirmed or not."""

    sealed_secret: str
    last_step: int | None
    confirmed_at: datetime | None


class SecondFactorRepository:
    """The second factor of one member of staff, inside one unit of work."""

    def __init__(self, uow: UnitOfWork, staff_id: UUID) -> None:
        self._uow = uow
        self._own = {"tenant": uow.tenant_id, "of_staff": staff_id}

    async def lock(self) -> Enrolment | None:
        """The second factor, kept from changing until the end."""
        row = await self._uow.one_or_none(_LOCK, self._own)
        return Enrolment(*row) if row else None

    async def begin(self, sealed_secret: str) -> bool:
        """Start over with a secret; False when there is a confirmed one."""
        row = {
            "tenant_id": self._uow.tenant_id,
            "staff_id": self._own["of_staff"],
            "sealed_secret": sealed_secret,
            "created_at": self._uow.clock.now(),
        }
        return await self._uow.execute(_BEGIN, row) == 1

    async def confirm(self) -> None:
        """From now on it is asked for."""
        await self._uow.execute(_CONFIRM, {**self._own, "now": self._uow.clock.now()})

    async def spend_step(self, step: int) -> None:
        """No code of this step or before is taken any more."""
        await self._uow.execute(_SPEND_STEP, {**self._own, "step": step})

    async def replace_codes(self, digests: Sequence[bytes]) -> None:
        """These recovery codes and no others."""
        await self._uow.execute(_DELETE_CODES, self._own)
        rows = [{"id": new_id(), "digest": digest} for digest in digests]
        values = {**self._own, "now": self._uow.clock.now(), **_codes.values(rows)}
        await self._uow.execute(_ADD_CODES, values)

    async def spend_code(self, digest: bytes) -> bool:
        """Whether this was a recovery code that was not used before."""
        values = {**self._own, "given": digest, "now": self._uow.clock.now()}
        return await self._uow.execute(_SPEND_CODE, values) == 1

    async def codes_left(self) -> int:
        """How many recovery codes were not used."""
        left: int = await self._uow.scalar(_COUNT_CODES, self._own)
        return left

    async def delete(self) -> None:
        """Forget the second factor and its recovery codes."""
        await self._uow.execute(_DELETE_CODES, self._own)
        await self._uow.execute(_DELETE, self._own)
