"""SQL of the sending policy."""

from typing import Any

from sqlalchemy import BigInteger, Row, Uuid, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from services.messaging.policies.models import policy
from services.messaging.policies.records import Policy, PolicyRules
from shared.db.unit_of_work import UnitOfWork

TENANT = bindparam("tenant", type_=Uuid)
_FIND = select(policy).where(policy.c.tenant_id == TENANT)
_LOCK = _FIND.with_for_update()
_ADD = insert(policy).on_conflict_do_nothing(index_elements=["tenant_id"])
_CHANGE = (
    update(policy)
    .where(policy.c.tenant_id == TENANT)
    .values(
        version=bindparam("new_version", type_=BigInteger),
        rules=bindparam("new_rules", type_=policy.c.rules.type),
        updated_at=bindparam("now", type_=policy.c.updated_at.type),
    )
)


class PolicyRepository:
    """The tenant's policy inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def get(self) -> Policy:
        """The policy in force; the default until the shop has been provisioned."""
        return _policy(await self._uow.one_or_none(_FIND, self._tenant))

    async def lock(self) -> Policy:
        """The policy in force, nobody else changing it until the commit."""
        await self.provision()
        return _policy(await self._uow.one_or_none(_LOCK, self._tenant))

    async def provision(self) -> None:
        """Put the default policy where there is none."""
        now = self._uow.clock.now()
        row = {"tenant_id": self._uow.tenant_id, "version": 1, "rules": PolicyRules().model_dump()}
        await self._uow.execute(_ADD, {**row, "created_at": now, "updated_at": now})

    async def change(self, new: Policy) -> None:
        """Put `new` in force."""
        values = {
            "new_version": new.version,
            "new_rules": new.rules.model_dump(),
            "now": self._uow.clock.now(),
        }
        await self._uow.execute(_CHANGE, {**self._tenant, **values})


def _policy(row: Row[*tuple[Any, ...]] | None) -> Policy:
    if row is None:
        return Policy(version=1, rules=PolicyRules())
    return Policy(version=row.version, rules=PolicyRules.model_validate(row.rules))
