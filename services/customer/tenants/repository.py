"""SQL of shops and what they decided."""

from typing import Any

from sqlalchemy import Row, Uuid, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from services.customer.tenants.models import value_policy
from shared.contracts.gateway import TenantState
from shared.db.tables import part_tables
from shared.db.unit_of_work import UnitOfWork

_tenant = part_tables("customer").tenant
_TENANT = bindparam("tenant", type_=Uuid)
_FIND = (
    select(
        _tenant.c.currency,
        _tenant.c.country,
        _tenant.c.timezone,
        value_policy.c.currency.label("value_currency"),
        value_policy.c.silver_from_minor,
        value_policy.c.gold_from_minor,
        value_policy.c.vip_from_minor,
    )
    .join(value_policy, value_policy.c.tenant_id == _tenant.c.tenant_id)
    .where(_tenant.c.tenant_id == _TENANT, value_policy.c.tenant_id == _TENANT)
)

_new_tenant = insert(_tenant)
_PUT = _new_tenant.on_conflict_do_update(
    index_elements=["tenant_id"],
    set_={name: _new_tenant.excluded[name] for name in (*TenantState.model_fields, "updated_at")},
    where=_new_tenant.excluded.version > _tenant.c.version,
)
_ADD_POLICY = insert(value_policy).on_conflict_do_nothing(index_elements=["tenant_id"])


class TenantRepository:
    """The tenant of one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def find(self) -> Row[*tuple[Any, ...]] | None:
        """Its defaults and value policy, once the tenant was provisioned."""
        return await self._uow.one_or_none(_FIND, {"tenant": self._uow.tenant_id})

    async def put(self, state: TenantState) -> None:
        """Keep the newest state told of the tenant."""
        now = self._uow.clock.now()
        row = {"tenant_id": self._uow.tenant_id, "created_at": now, "updated_at": now}
        await self._uow.execute(_PUT, {**row, **state.model_dump()})

    async def add_value_policy(
        self, *, currency: str, silver_from: int, gold_from: int, vip_from: int
    ) -> None:
        """Decide from how many minor units on a customer is worth more, if not decided yet."""
        await self._uow.execute(
            _ADD_POLICY,
            {
                "tenant_id": self._uow.tenant_id,
                "currency": currency,
                "silver_from_minor": silver_from,
                "gold_from_minor": gold_from,
                "vip_from_minor": vip_from,
                "updated_at": self._uow.clock.now(),
            },
        )
