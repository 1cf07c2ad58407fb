"""SQL that forgets what the customer service told.

What tickets and messages told stays: their services do not tell it again.
"""

from typing import Any, Final

from sqlalchemy import Delete, Table, Uuid, bindparam, delete, func, select

from services.segmentation.facts.models import consent_end, order_fact, profile
from shared.db.unit_of_work import UnitOfWork

_TENANT: Final = bindparam("tenant", type_=Uuid)


def _forget(table: Table, key: str) -> Delete:
    """Delete some rows, in the order of their key."""
    some = (
        select(table.c[key])
        .where(table.c.tenant_id == _TENANT)
        .order_by(table.c[key])
        .limit(bindparam("limit"))
        .cte("some")
    )
    return delete(table).where(table.c.tenant_id == _TENANT, table.c[key] == some.c[key])


_FORGET: Final = (
    _forget(order_fact, "order_id"),
    _forget(consent_end, "customer_id"),
    _forget(profile, "customer_id"),
)
_COUNT: Final = (
    select(func.count())
    .select_from(profile)
    .where(profile.c.tenant_id == _TENANT, profile.c.version > 0)
)


class RebuildRepository:
    """The projection of one tenant, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant: dict[str, Any] = {"tenant": uow.tenant_id}

    async def forget(self, *, limit: int) -> int:
        """Forget up to `limit` orders, ends of consents, profiles; how many rows there were."""
        forgotten = 0
        for statement in _FORGET:
            forgotten += await self._uow.execute(statement, {**self._tenant, "limit": limit})
        return forgotten

    async def count_profiles(self) -> int:
        """How many customers are known."""
        return int(await self._uow.scalar(_COUNT, self._tenant))
