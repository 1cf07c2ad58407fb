"""Rows for any table, found by trial: what the database refuses is drawn again.

The catalogue tells types, foreign keys and the columns and constants of constraints. So a table
that a migration adds tomorrow is filled as well, without anybody thinking of it.
"""

import random
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from graphlib import TopologicalSorter
from typing import Any
from uuid import uuid4

from asyncpg import UniqueViolationError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

ATTEMPTS = 300
_ROWS = 2
_COLUMNS = text(
    """
    SELECT c.relname AS table, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
           NOT a.attnotnull AS nullable
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind IN ('r', 'p')
      AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      AND c.relname <> 'alembic_version'
    ORDER BY c.relname, a.attnum
    """
)
_CONSTRAINTS = text(
    """
    SELECT c.relname AS table, k.conname AS name, pg_get_constraintdef(k.oid) AS definition,
           ARRAY(SELECT attname::text FROM pg_attribute
                 WHERE attrelid = k.conrelid AND attnum = ANY(k.conkey)) AS columns
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE c.relnamespace = CAST(:schema AS regnamespace) AND k.contype = 'c'
    """
)
_FOREIGN_KEYS = text(
    """
    SELECT c.relname AS table, r.relname AS parent,
           ARRAY(SELECT attname::text FROM unnest(k.conkey) WITH ORDINALITY AS n(number, place)
                 JOIN pg_attribute ON attrelid = k.conrelid AND attnum = n.number
                 ORDER BY place) AS columns,
           ARRAY(SELECT attname::text FROM unnest(k.confkey) WITH ORDINALITY AS n(number, place)
                 JOIN pg_attribute ON attrelid = k.confrelid AND attnum = n.number
                 ORDER BY place) AS parents
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid
    WHERE c.relnamespace = CAST(:schema AS regnamespace) AND k.contype = 'f'
    """
)


def _moment(draw: random.Random) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=draw.randint(0, 9000))


_VALUES: Sequence[tuple[str, Callable[[random.Random], str]]] = (
    (r".*\[\]$", lambda _: "'{}'"),
    ("uuid", lambda _: f"'{uuid4()}'"),
    (
        "bigint|integer|smallint|numeric|double",
        lambda draw: str(draw.randint(0, draw.choice((9, 99)))),
    ),
    ("boolean", lambda draw: draw.choice(("true", "false"))),
    ("jsonb", lambda draw: draw.choice(("'{}'", "'[]'", "'{\"a\": 1}'"))),
    ("bytea", lambda draw: f"'\\x{draw.randbytes(8).hex()}'"),
    ("timestamp", lambda draw: f"'{_moment(draw).isoformat()}'"),
    ("date", lambda draw: f"'{_moment(draw).date()}'"),
    ("time", lambda draw: f"'{_moment(draw).time()}'"),
    ("character", lambda draw: f"'{draw.choice('abc')}'"),
)


@dataclass
class TableShape:
    """What is known of a table."""

    name: str
    columns: dict[str, tuple[str, bool]] = field(default_factory=dict)
    constants: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    constraints: dict[str, list[str]] = field(default_factory=dict)
    foreign_keys: list[Any] = field(default_factory=list)


class Filler:
    """Fills the tables of one schema."""

    def __init__(self, schema: str, *, seed: int = 1) -> None:
        self._schema = schema
        self._random = random.Random(seed)

    async def shapes(self, engine: AsyncEngine) -> list[TableShape]:
        """What the tables look like as they are now."""
        async with engine.connect() as connection:
            return await self._shapes(connection)

    async def fill(
        self, engine: AsyncEngine, *, tenants: int = 1, only: Collection[str] | None = None
    ) -> dict[str, Sequence[str]]:
        """Add rows to every table for each of some new tenants; the columns of each table.

        Or to `only` these, and to those that they refer to.
        """
        async with engine.begin() as connection:
            shapes = await self._shapes(connection)
            filled = shapes if only is None else _with_parents(shapes, only)
            for tenant in (str(uuid4()) for _ in range(tenants)):
                for shape in filled:
                    for number in range(_ROWS):
                        await self._add(connection, shape, tenant, number)
        return {shape.name: list(shape.columns) for shape in shapes}

    async def _shapes(self, connection: AsyncConnection) -> list[TableShape]:
        shapes: dict[str, TableShape] = {}
        schema = {"schema": self._schema}
        for row in await connection.execute(_COLUMNS, schema):
            shape = shapes.setdefault(row.table, TableShape(row.table))
            shape.columns[row.name] = (row.type, row.nullable)
        for row in await connection.execute(_CONSTRAINTS, schema):
            shapes[row.table].constraints[row.name] = row.columns
            for column in row.columns:
                constants = re.findall(r"'((?:[^']|'')*)'", row.definition)
                shapes[row.table].constants[column] |= set(constants)
        order: defaultdict[str, set[str]] = defaultdict(set)
        for row in await connection.execute(_FOREIGN_KEYS, schema):
            shapes[row.table].foreign_keys.append(row)
            if row.parent != row.table:
                order[row.table].add(row.parent)
        sorter = TopologicalSorter({name: order[name] for name in shapes})
        return [shapes[name] for name in sorter.static_order()]

    async def _add(
        self, connection: AsyncConnection, shape: TableShape, tenant: str, number: int
    ) -> None:
        values = await self._values(connection, shape, tenant, shape.columns)
        for _ in range(ATTEMPTS):
            insert = (
                f"INSERT INTO {self._schema}.{shape.name} ({', '.join(values)}) "
                f"VALUES ({', '.join(values.values())})"
            )
            try:
                async with connection.begin_nested():
                    await connection.exec_driver_sql(insert)
            except DBAPIError as error:
                last, cause = error, error.orig.__cause__
            else:
                return
            if number and isinstance(cause, UniqueViolationError):
                return  # a table of one row per shop, or nearly so
            refused = shape.constraints.get(getattr(cause, "constraint_name", ""), shape.columns)
            values |= await self._values(connection, shape, tenant, refused)
        raise AssertionError(f"no row found for {self._schema}.{shape.name}: {last}")

    async def _values(
        self, connection: AsyncConnection, shape: TableShape, tenant: str, names: Iterable[str]
    ) -> dict[str, str]:
        values = {name: self._draw(shape, name, *shape.columns[name]) for name in names}
        for key in shape.foreign_keys:
            parent = await self._parents_values(connection, key, tenant)
            values |= {name: value for name, value in parent.items() if name in values}
        if "tenant_id" in values:
            values["tenant_id"] = f"'{tenant}'"
        return values

    async def _parents_values(self, connection, key, tenant: str) -> dict[str, str]:
        columns = ", ".join(f"quote_nullable({name}::text)" for name in key.parents)
        parent = (
            await connection.exec_driver_sql(
                f"SELECT {columns} FROM {self._schema}.{key.parent} "
                f"WHERE tenant_id = '{tenant}' ORDER BY random() LIMIT 1"
            )
        ).first()
        values = parent or ["NULL"] * len(key.columns)
        return dict(zip(key.columns, values, strict=True))

    def _draw(self, shape: TableShape, name: str, kind: str, nullable: bool) -> str:
        if nullable and self._random.random() < 0.4:
            return "NULL"
        if kind == "text":
            return self._text(shape, name)
        for pattern, draw in _VALUES:
            if re.match(pattern, kind):
                return draw(self._random)
        raise AssertionError(f"teach this module values of {kind} ({shape.name}.{name})")

    def _text(self, shape: TableShape, name: str) -> str:
        constants = shape.constants[name]
        if constants and self._random.random() < 0.9:
            return f"'{self._random.choice(sorted(constants))}'"
        return f"'{name} {self._random.randint(0, 10**9)}'"


def _with_parents(shapes: Sequence[TableShape], names: Collection[str]) -> list[TableShape]:
    """These tables and all that they refer to, in the order in which they are filled."""
    wanted = set(names)
    for shape in reversed(shapes):
        if shape.name in wanted:
            wanted |= {key.parent for key in shape.foreign_keys}
    return [shape for shape in shapes if shape.name in wanted]


async def digests(
    engine: AsyncEngine, schema: str, tables: dict[str, Sequence[str]]
) -> dict[str, str]:
    """One digest per table, over the given columns of all its rows."""
    each = [
        f"SELECT '{table}' AS name, count(*) || ' ' || "
        "coalesce(md5(string_agg(r, '|' ORDER BY r)), '') AS digest "
        f"FROM (SELECT ROW({', '.join(columns)})::text AS r FROM {schema}.{table}) AS t"
        for table, columns in tables.items()
    ]
    if not each:
        return {}
    async with engine.connect() as connection:
        found = await connection.exec_driver_sql(" UNION ALL ".join(each))
        return {row.name: row.digest for row in found}
