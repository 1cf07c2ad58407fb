"""All rows of a tenant, as the administrator sees them."""

import asyncio
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.settings import SCHEMAS
from tests.support.waiting import eventually

Rows = dict[str, list[str]]

OF_TIME = {
    "segmentation.evaluation_state": ["swept_until"],
    "customer.loyalty_programme": ["reviewed_on", "reviewed_until", "review_due_at"],
    "customer.quality_policy": ["reviewed_on", "review_due_at"],
}
"""Columns that the clock alone moves."""

BY_NIGHT = ("quality_review",)
"""Jobs that the house begins by itself, if its night comes while we look."""

TABLES = text(
    """
    SELECT n.nspname AS schema, c.relname AS name, n.nspname || '.' || c.relname AS qualified
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(:schemas) AND c.relkind IN ('r', 'p') AND c.relname <> 'alembic_version'
    ORDER BY qualified
    """
)


async def tables(admin: AsyncEngine) -> list[Row]:
    """Every table of the house, from the catalogue."""
    async with admin.connect() as connection:
        return list((await connection.execute(TABLES, {"schemas": list(SCHEMAS)})).all())


async def rows_of(admin: AsyncEngine, tenant_id: UUID) -> Rows:
    """Every row of a tenant, and every row anywhere that names it, per table."""
    kept: Rows = {}
    async with admin.connect() as connection:
        await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        for table in (await connection.execute(TABLES, {"schemas": list(SCHEMAS)})).all():
            found = await connection.execute(
                text(
                    "SELECT (to_jsonb(t) - CAST(:of_time AS text[]))::text "
                    f"FROM {table.qualified} t "
                    "WHERE (tenant_id = :tenant OR to_jsonb(t)::text LIKE :named) "
                    "AND NOT coalesce(to_jsonb(t)->>'kind' = ANY(:by_night), false) ORDER BY 1"
                ),
                {
                    "tenant": tenant_id,
                    "named": f"%{tenant_id}%",
                    "of_time": OF_TIME.get(table.qualified, []),
                    "by_night": list(BY_NIGHT) if table.name == "job" else [],
                },
            )
            kept[table.qualified] = list(found.scalars())
    return kept


# A sweep judges the quality of customers a moment after they were changed.
_TO_BE_JUDGED = """
    SELECT 1 FROM customer.customer c LEFT JOIN customer.quality_policy p USING (tenant_id)
    WHERE c.tenant_id = :tenant AND c.updated_at > coalesce(p.judged_until, '-infinity')
"""


async def settled_rows_of(admin: AsyncEngine, *tenant_ids: UUID) -> dict[UUID, Rows]:
    """The rows of tenants once nothing is on its way in any of them."""

    async def look() -> tuple[bool, dict[UUID, Rows]]:
        before = {tenant: await rows_of(admin, tenant) for tenant in tenant_ids}
        await asyncio.sleep(0)
        quiet = [await _is_quiet(admin, tenant) for tenant in tenant_ids]
        after = {tenant: await rows_of(admin, tenant) for tenant in tenant_ids}
        return all(quiet) and before == after, after

    return (await eventually(look, lambda seen: seen[0], seconds=60))[1]


def changes(before: Rows, after: Rows) -> dict[str, list[str]]:
    """What differs between two looks at a tenant, per table.

    Events that everybody has acknowledged are swept away in their own time: they may go.
    """
    found = {}
    for table in before.keys() | after.keys():
        old, new = set(before.get(table, ())), set(after.get(table, ()))
        gone = set() if table.endswith(".outbox") else old - new
        if differing := sorted([f"+ {row}" for row in new - old] + [f"- {row}" for row in gone]):
            found[table] = differing
    return found


async def _is_quiet(admin: AsyncEngine, tenant_id: UUID) -> bool:
    """Whether every event of a tenant was acknowledged, every delivery read, everybody judged."""
    asked = [
        f"SELECT 1 FROM {schema}.outbox WHERE tenant_id = :tenant AND position IS NULL"
        for schema in SCHEMAS
    ]
    asked += [
        f"SELECT 1 FROM {schema}.subscription WHERE tenant_id = :tenant AND acked < sent"
        for schema in SCHEMAS
    ]
    asked.append(_TO_BE_JUDGED)
    async with admin.connect() as connection:
        found = await connection.execute(
            text(f"SELECT EXISTS ({' UNION ALL '.join(asked)})"), {"tenant": tenant_id}
        )
        return not found.scalar_one()
