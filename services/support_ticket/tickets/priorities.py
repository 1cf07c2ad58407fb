"""SQL of the shop's own rules of priority."""

from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from services.support_ticket.tickets.models import priority_policy
from services.support_ticket.tickets.priority import DEFAULT_POLICY, PriorityPolicy
from shared.db.unit_of_work import UnitOfWork

_CURRENT = select(priority_policy.c.policy, priority_policy.c.version).where(
    priority_policy.c.tenant_id == bindparam("tenant")
)
_LOCKED = _CURRENT.with_for_update()
_given = insert(priority_policy)
_PUT = _given.on_conflict_do_update(
    index_elements=list(priority_policy.primary_key.columns),
    set_={name: _given.excluded[name] for name in ("policy", "version", "updated_at")},
)


class PriorityRepository:
    """The priority rules of one tenant, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def current(self) -> PriorityPolicy:
        """The shop's rules, or the default ones."""
        return (await self.current_version())[0]

    async def current_version(self, *, lock: bool = False) -> tuple[PriorityPolicy, int]:
        """The shop's rules and their version; the default ones are version 0."""
        row: Any = await self._uow.one_or_none(
            _LOCKED if lock else _CURRENT, {"tenant": self._uow.tenant_id}
        )
        if row is None:
            return DEFAULT_POLICY, 0
        return PriorityPolicy.model_validate(row.policy), row.version

    async def replace(self, policy: PriorityPolicy, *, version: int) -> None:
        """Make `policy` the shop's rules."""
        await self._uow.execute(
            _PUT,
            {
                "tenant_id": self._uow.tenant_id,
                "policy": policy.model_dump(mode="json"),
                "version": version,
                "updated_at": self._uow.clock.now(),
            },
        )
