"""SQL of shops: their settings, and the row that orders evaluations against changes of rules.

Whoever evaluates holds the row shared and reads the clock after that; whoever changes a rule,
suspends the evaluation or moves `swept_until` holds it alone. So an evaluation sees either all of
a change or nothing of it, and the sweep that follows an evaluation sees the facts it was made of.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, Uuid, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from services.segmentation.tenants.models import evaluation_state as state
from shared.contracts.gateway import TenantState
from shared.db.tables import part_tables
from shared.db.unit_of_work import UnitOfWork
from shared.pii import FieldMarks
from shared.privacy.field_marks import told_marks

_MARKS: Final = told_marks("segmentation")
_tenant: Final = part_tables("segmentation").tenant
_TENANT: Final = bindparam("tenant", type_=Uuid)
_DEFAULT_TIMEZONE: Final = "Asia/Ho_Chi_Minh"
_DEFAULT_CURRENCY: Final = "VND"
_DEFAULT_LOCALE: Final = "vi"

_READ: Final[Select[tuple[object, ...]]] = (
    select(
        state.c.rules_version,
        state.c.suspended,
        state.c.swept_until,
        _tenant.c.timezone,
        _tenant.c.currency,
        _tenant.c.locale,
    )
    .select_from(state.outerjoin(_tenant, _tenant.c.tenant_id == state.c.tenant_id))
    .where(state.c.tenant_id == _TENANT)
)
_SHARE: Final = _READ.with_for_update(read=True, of=state)
_LOCK: Final = _READ.with_for_update(key_share=True, of=state)
_ENSURE: Final = insert(state).on_conflict_do_nothing(index_elements=["tenant_id"])
_OF_TENANT: Final = update(state).where(state.c.tenant_id == _TENANT)
_CHANGE_RULES: Final = _OF_TENANT.values(rules_version=state.c.rules_version + 1)
_SUSPEND: Final = _OF_TENANT.values(suspended=True)
_RESUME: Final = _OF_TENANT.values(suspended=False, swept_until=bindparam("until"))
_ADVANCE: Final = _OF_TENANT.values(swept_until=bindparam("until"))

_new: Final = insert(_tenant)
_ADD_TENANT: Final = _new.on_conflict_do_nothing(index_elements=["tenant_id"]).returning(
    _tenant.c.tenant_id
)
_PUT_TENANT: Final = _new.on_conflict_do_update(
    index_elements=["tenant_id"],
    set_={name: _new.excluded[name] for name in (*TenantState.model_fields, "updated_at")},
    where=_new.excluded.version > _tenant.c.version,
)


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop as far as its segments are concerned."""

    timezone: ZoneInfo
    currency: str
    locale: str
    rules_version: int
    suspended: bool
    swept_until: datetime


class ShopRepository:
    """The shop of one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def read(self) -> Shop:
        """The shop as it is, for answers that change nothing; as it will be, if it is not known."""
        row = await self._uow.one_or_none(_READ, {"tenant": self._uow.tenant_id})
        return self._new() if row is None else _shop(row)

    async def share(self) -> Shop:
        """The shop, whose rules stay as they are until the commit."""
        return await self._find(_SHARE)

    async def lock(self) -> Shop:
        """The shop, for a change of its rules or its evaluation: nobody evaluates meanwhile."""
        return await self._find(_LOCK)

    async def marks(self) -> FieldMarks:
        """Which of its own fields the shop has marked as personal."""
        return await _MARKS(self._uow)

    async def rules_changed(self) -> None:
        """Have every process read the rules again. The shop must be locked."""
        await self._uow.execute(_CHANGE_RULES, {"tenant": self._uow.tenant_id})

    async def suspend(self) -> None:
        """Let nobody enter or leave from now on. The shop must be locked."""
        await self._uow.execute(_SUSPEND, {"tenant": self._uow.tenant_id})

    async def resume(self) -> None:
        """Evaluate again; time counts from now, for everybody is about to be evaluated."""
        await self._uow.execute(
            _RESUME, {"tenant": self._uow.tenant_id, "until": self._uow.clock.now()}
        )

    async def advance(self, until: datetime) -> None:
        """Time has been taken into account up to `until`. The shop must be locked."""
        await self._uow.execute(_ADVANCE, {"tenant": self._uow.tenant_id, "until": until})

    async def put(self, tenant: TenantState) -> bool:
        """Keep the newest state told of the shop; whether it is new here."""
        now = self._uow.clock.now()
        row = {"tenant_id": self._uow.tenant_id, "created_at": now, "updated_at": now}
        row |= tenant.model_dump()
        if await self._uow.scalar(_ADD_TENANT, row) is not None:
            return True
        await self._uow.execute(_PUT_TENANT, row)
        return False

    async def _find(self, statement: Select[tuple[object, ...]]) -> Shop:
        identity = {"tenant": self._uow.tenant_id}
        row = await self._uow.one_or_none(statement, identity)
        if row is None:
            # Facts of a shop may arrive before the shop does.
            await self._uow.execute(
                _ENSURE,
                {"tenant_id": self._uow.tenant_id, "swept_until": self._uow.clock.now()},
            )
            row = await self._uow.one(statement, identity)
        return _shop(row)

    def _new(self) -> Shop:
        return Shop(
            timezone=ZoneInfo(_DEFAULT_TIMEZONE),
            currency=_DEFAULT_CURRENCY,
            locale=_DEFAULT_LOCALE,
            rules_version=1,
            suspended=False,
            swept_until=self._uow.clock.now(),
        )


def _shop(row: Row[*tuple[Any, ...]]) -> Shop:
    return Shop(
        timezone=ZoneInfo(row.timezone or _DEFAULT_TIMEZONE),
        currency=row.currency or _DEFAULT_CURRENCY,
        locale=row.locale or _DEFAULT_LOCALE,
        rules_version=row.rules_version,
        suspended=row.suspended,
        swept_until=row.swept_until,
    )
