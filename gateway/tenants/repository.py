"""SQL of shops."""

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from shared.contracts.gateway import TenantState
from shared.db.tables import part_tables
from shared.db.unit_of_work import UnitOfWork

_tenant = part_tables("gateway").tenant
_ADD = insert(_tenant).on_conflict_do_nothing()
_FIND = select(_tenant).where(_tenant.c.tenant_id == bindparam("tenant"))


class TenantRepository:
    """The shop of one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def add(self, state: TenantState) -> bool:
        """Write the shop; False when it is there already."""
        now = self._uow.clock.now()
        stamps = {"created_at": now, "updated_at": now}
        row = {"tenant_id": self._uow.tenant_id, **state.model_dump(), **stamps}
        return await self._uow.execute(_ADD, row) == 1

    async def find(self) -> TenantState | None:
        """The shop, if it was ever created."""
        row = await self._uow.one_or_none(_FIND, {"tenant": self._uow.tenant_id})
        return TenantState.model_validate(row._mapping) if row else None
