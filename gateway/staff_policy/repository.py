"""SQL of the staff policy."""

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from gateway.staff_policy.models import staff_policy
from gateway.staff_policy.record import StaffPolicy
from shared.db.unit_of_work import UnitOfWork
from shared.errors import LostRace

_FIND = select(staff_policy).where(staff_policy.c.tenant_id == bindparam("tenant"))
_written = insert(staff_policy)
_SAVE = _written.on_conflict_do_update(
    index_elements=["tenant_id"],
    set_={
        name: _written.excluded[name]
        for name in ("visibility", "second_factor_for", "updated_at", "version")
    },
    where=_written.excluded.version == staff_policy.c.version + 1,
)


class StaffPolicyRepository:
    """The policy of one shop, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def get(self) -> StaffPolicy:
        """The policy; what every shop starts with where nothing was decided."""
        row = await self._uow.one_or_none(_FIND, {"tenant": self._uow.tenant_id})
        return StaffPolicy.of(row) if row else StaffPolicy()

    async def save(self, policy: StaffPolicy) -> None:
        """Write the version after the one that was read. Raises LostRace when it is not."""
        row = {
            "tenant_id": self._uow.tenant_id,
            "visibility": {role.value: sees.value for role, sees in policy.visibility.items()},
            "second_factor_for": sorted(policy.second_factor_for),
            "updated_at": policy.updated_at,
            "version": policy.version,
        }
        if await self._uow.execute(_SAVE, row) == 0:
            raise LostRace
