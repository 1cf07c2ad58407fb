"""What a schema holds, as the database itself tells it."""

from dataclasses import dataclass
from graphlib import TopologicalSorter
from uuid import UUID

import asyncpg

from cli.backup.errors import ShopNotFound, TargetNotFit

_EXISTS = "SELECT to_regclass($1) IS NOT NULL"
_TABLES = """
    SELECT c.relname AS name,
           array_agg(a.attname::text ORDER BY a.attnum) AS columns
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = $1::text::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition AND c.relname <> 'alembic_version'
      AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    GROUP BY c.oid ORDER BY c.relname
"""
_PARENTS = """
    SELECT c.relname AS child, p.relname AS parent
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class p ON p.oid = k.confrelid
    WHERE k.contype = 'f' AND c.relnamespace = $1::text::regnamespace AND c.oid <> p.oid
"""
_SEQUENCES = """
    SELECT relname FROM pg_class
    WHERE relnamespace = $1::text::regnamespace AND relkind = 'S'
"""
_SHOP = """
    SELECT points_to FROM gateway.directory
    WHERE tenant_id = $1 AND kind = 'shop' AND lookup = $2
"""
_INSTALLATION = UUID(int=0)
# Entries of the installation's own that lead to a shop go with the shop (docs/adr/0003).
_DIRECTORY = "gateway.directory"


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table and the columns whose values are kept (not those that are computed)."""

    schema: str
    name: str
    columns: tuple[str, ...]

    @property
    def full_name(self) -> str:
        """With its schema."""
        return f"{self.schema}.{self.name}"

    def of_tenant(self, tenant_id: UUID | None) -> str:
        """The condition for one shop's rows; every row without one."""
        if tenant_id is None:
            return "true"
        own = f"tenant_id = '{tenant_id}'"
        if self.full_name == _DIRECTORY:
            return f"{own} OR (tenant_id = '{_INSTALLATION}' AND points_to = '{tenant_id}')"
        return own


async def is_there(connection: asyncpg.Connection, schema: str) -> bool:
    """Whether a schema has been migrated at least once."""
    return bool(await connection.fetchval(_EXISTS, f"{schema}.alembic_version"))


async def revision_of(connection: asyncpg.Connection, schema: str) -> str | None:
    """Where the schema's history stands."""
    if not await is_there(connection, schema):
        return None
    found: str | None = await connection.fetchval(
        f"SELECT version_num FROM {schema}.alembic_version"
    )
    return found


async def tables_of(connection: asyncpg.Connection, schema: str) -> list[TableShape]:
    """The tables of a schema, parents before children."""
    if await connection.fetch(_SEQUENCES, schema):
        raise TargetNotFit(f"{schema} has sequences, whose state a backup does not keep.")
    shapes = {
        row["name"]: TableShape(schema, row["name"], tuple(row["columns"]))
        for row in await connection.fetch(_TABLES, schema)
    }
    order: dict[str, set[str]] = {name: set() for name in shapes}
    for row in await connection.fetch(_PARENTS, schema):
        order[row["child"]].add(row["parent"])
    return [shapes[name] for name in TopologicalSorter(order).static_order()]


async def has_rows(connection: asyncpg.Connection, shape: TableShape, where: str) -> bool:
    """Whether a table has a row."""
    return bool(
        await connection.fetchval(f"SELECT EXISTS (SELECT 1 FROM {shape.full_name} WHERE {where})")
    )


async def find_shop(connection: asyncpg.Connection, slug: str) -> UUID:
    """The id of the shop with a slug. Raises ShopNotFound."""
    found = await connection.fetchval(_SHOP, _INSTALLATION, slug)
    if found is None:
        raise ShopNotFound(f"There is no shop {slug!r} in this installation.")
    return UUID(str(found))
