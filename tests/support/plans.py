"""What a statement reads, by the plan that PostgreSQL makes for parameters it does not know."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlalchemy.sql.elements import ClauseElement

from shared.settings import login_role


async def rows_read(
    url: str,
    *,
    schema: str,
    tenant_id: UUID,
    table: str,
    statement: Executable,
    parameters: Mapping[str, Any],
    is_analyzed: bool = True,
) -> int:
    """How many rows of a table a statement looks at, as the part's own role and under its walls.

    With the generic plan, which a statement that is prepared once may get for any parameters; of a
    table that is not analyzed, as it is while a new one fills.
    """
    assert isinstance(statement, ClauseElement)
    compiled = statement.compile(dialect=dialect.dialect())  # type: ignore[no-untyped-call]
    known = {**compiled.params, **parameters}
    given = ", ".join(_literal(known[name]) for name in compiled.positiontup or ())
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        if is_analyzed:
            await connection.execute(f"ANALYZE {schema}.{table}")
        async with connection.transaction():
            await connection.execute(f"SET LOCAL ROLE {login_role(schema)}")
            await connection.execute(f"SELECT {schema}.set_tenant('{tenant_id}')")
            await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            await connection.execute(f"PREPARE looked_at AS {compiled}")
            told = await connection.fetchval(
                f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE looked_at({given})"
            )
    finally:
        await connection.close()
    return sum(
        round((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
        for node in _nodes(json.loads(told)[0]["Plan"])
        if node.get("Relation Name") == table
    )


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return f"'{{{','.join(map(str, value))}}}'"
    if isinstance(value, datetime):
        return f"'{value.isoformat()}'"
    return f"'{value}'"
