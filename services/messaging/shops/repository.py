"""SQL of the shop that a tenant is."""

from dataclasses import dataclass

from sqlalchemy import Uuid, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from shared.contracts.gateway import TenantState
from shared.db.tables import part_tables
from shared.db.unit_of_work import UnitOfWork

_tenant = part_tables("messaging").tenant
_FIND = select(_tenant).where(_tenant.c.tenant_id == bindparam("tenant", type_=Uuid))
_LOCK = _FIND.with_for_update()
_given = insert(_tenant)
_PUT = _given.on_conflict_do_update(
    index_elements=["tenant_id"],
    set_={name: _given.excluded[name] for name in (*TenantState.model_fields, "updated_at")},
    where=_given.excluded.version > _tenant.c.version,
)


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop as its messages name it."""

    name: str
    locale: str
    country: str


_UNNAMED = Shop(name="Careloop", locale="vi", country="VN")


class ShopRepository:
    """The shop of one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def find(self) -> Shop:
        """The shop; a nameless Vietnamese one until it was provisioned."""
        row = await self._uow.one_or_none(_FIND, self._tenant)
        return _UNNAMED if row is None else Shop(row.name, row.locale, row.country)

    async def lock(self) -> Shop | None:
        """The shop, if provisioned; whoever else locks it waits until this work is done."""
        row = await self._uow.one_or_none(_LOCK, self._tenant)
        return None if row is None else Shop(row.name, row.locale, row.country)

    async def put(self, state: TenantState) -> None:
        """Keep the newest state told of the shop."""
        now = self._uow.clock.now()
        row = {"tenant_id": self._uow.tenant_id, "created_at": now, "updated_at": now}
        await self._uow.execute(_PUT, {**row, **state.model_dump()})
