"""The start-up check: the choice of a tenant reaches the rows, wherever they lie.

A part that cannot see what it has written, or sees what it must not, has a server that is set up
wrongly: a cluster that does not pass `SET LOCAL` on to its nodes (Citus needs
`citus.propagate_set_commands = 'local'`), a login role above row-level security, a lost policy.
Reads would be silently empty, or everybody's. So one row is written and read before any traffic.
"""

from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.db.failures import sqlstate
from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId, new_id

_KIND: Final = "startup_check"
_REFUSED_BY_POLICY: Final = "42501"


class WallsDown(Exception):
    """Rows are not kept apart by tenant; the message says how that shows, and what to do."""


async def check_walls(units: UnitsOfWork) -> None:
    """Write and read one row in a tenant of its own, and keep nothing. Raises WallsDown."""
    schema = units.schema
    table = f"{schema}.code_counter"
    ours, others = TenantId(new_id()), TenantId(new_id())
    write = text(f"INSERT INTO {table} (tenant_id, kind, next_value) VALUES (:tenant, :kind, 1)")
    count = text(f"SELECT count(*) FROM {table} WHERE tenant_id = :tenant AND kind = :kind")
    row = {"tenant": ours, "kind": _KIND}
    async with units.begin(ours) as uow:
        try:
            await uow.execute(write, row)
        except DBAPIError as error:
            if sqlstate(error) != _REFUSED_BY_POLICY:
                raise
            raise WallsDown(
                f"{schema}: a row of the chosen tenant is refused. Does SET LOCAL reach every "
                "node? (Citus: citus.propagate_set_commands = 'local')"
            ) from error
        if await uow.scalar(count, row) != 1:
            raise WallsDown(
                f"{schema}: a row that was just written is not seen. Does SET LOCAL reach every "
                "node? (Citus: citus.propagate_set_commands = 'local')"
            )
        await uow.execute(text(f"SELECT {schema}.set_tenant(:tenant)"), {"tenant": others})
        if await uow.scalar(count, row) != 0:
            raise WallsDown(
                f"{schema}: another tenant's row is seen. Is the login role a superuser, or may it "
                "bypass row-level security? Run careloop migrate."
            )
