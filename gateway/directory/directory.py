"""Finding the tenant when all a caller gives is a slug, an e-mail address or a connection.

The directory belongs to no shop: its rows are the installation's, under the nil tenant. So an
entry and what it points at are written in two transactions, the entry first. An entry that points
at nothing does no harm: whoever follows it finds nothing there. See `docs/adr/0003`.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Final, Literal

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from gateway.directory.models import directory
from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId
from shared.security.principal import NO_TENANT

INSTALLATION: Final = NO_TENANT
Kind = Literal["shop", "staff", "connection"]

_CLAIM = insert(directory).on_conflict_do_nothing()
_FIND = (
    select(directory.c.points_to)
    .where(
        directory.c.tenant_id == bindparam("tenant"),
        directory.c.kind == bindparam("kind"),
        directory.c.lookup == bindparam("lookup"),
    )
    .order_by(directory.c.created_at, directory.c.points_to)
    .limit(bindparam("limit"))
)
_LIST = (
    select(directory.c.lookup, directory.c.points_to)
    .where(
        directory.c.tenant_id == bindparam("tenant"),
        directory.c.kind == bindparam("kind"),
        directory.c.lookup > bindparam("after"),
    )
    .order_by(directory.c.lookup)
    .limit(bindparam("limit"))
)
_MOST_SHOPS: Final = 10
_AT_ONCE: Final = 500


class Directory:
    """Reads and writes directory entries, each call in a unit of work of its own."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    async def claim(self, kind: Kind, lookup: str, tenant_id: TenantId) -> TenantId:
        """Enter `lookup` for a tenant; the tenant that has it, which may be an earlier one.

        Of kind `staff` every tenant gets its own entry.
        """
        async with self._units.begin(INSTALLATION) as uow:
            entry = {
                "tenant_id": INSTALLATION,
                "kind": kind,
                "lookup": lookup,
                "points_to": tenant_id,
                "created_at": uow.clock.now(),
            }
            fresh = await uow.execute(_CLAIM, entry) == 1
            await uow.commit()
        if fresh or kind == "staff":
            return tenant_id
        found = await self.find_one(kind, lookup)
        return tenant_id if found is None else found

    async def find(self, kind: Kind, lookup: str) -> Sequence[TenantId]:
        """The tenants an entry points at, the oldest first."""
        wanted = {"tenant": INSTALLATION, "kind": kind, "lookup": lookup, "limit": _MOST_SHOPS}
        async with self._units.begin(INSTALLATION) as uow:
            return [TenantId(found) for found in await uow.scalars(_FIND, wanted)]

    async def find_one(self, kind: Kind, lookup: str) -> TenantId | None:
        """The tenant an exclusive entry points at."""
        found = await self.find(kind, lookup)
        return found[0] if found else None

    async def walk(self, kind: Kind) -> AsyncIterator[tuple[str, TenantId]]:
        """Every entry of an exclusive kind and what it points at, in order."""
        wanted = {"tenant": INSTALLATION, "kind": kind, "limit": _AT_ONCE}
        after, rest = "", True
        while rest:
            async with self._units.begin(INSTALLATION) as uow:
                rows = await uow.rows(_LIST, {**wanted, "after": after})
            for row in rows:
                yield row.lookup, TenantId(row.points_to)
            rest = len(rows) == _AT_ONCE
            after = rows[-1].lookup if rows else after
