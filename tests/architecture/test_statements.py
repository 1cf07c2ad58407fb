"""The SQL of the house runs on one machine and on several: checked by rule, statement by statement.

What the parts run in the other tests is checked when all of them are done (`tests/conftest.py`).
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Executable, event
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.engine import Engine
from sqlalchemy.exc import CompileError
from sqlalchemy.sql.elements import ClauseElement

import gateway
import services
import shared
from migrations.runner import migrate
from services.customer.customers.repository import Aside
from shared.db.sighted import Sighted
from shared.security.sight import Sight
from shared.stream.consumer_repository import ConsumerRepository
from shared.stream.source_repository import SourceRepository
from tests.architecture.sql.check import faults, mutable_functions
from tests.architecture.sql.rules import faults_of, faults_of_migration
from tests.support.servers import create_database

MUTABLE = frozenset({"now", "clock_timestamp", "random", "date_trunc", "concat", "to_char"})
T = "customer.t"

GOOD = [
    f"SELECT a FROM {T} WHERE tenant_id = $1 AND id = $2",
    f"SELECT a FROM {T} WHERE tenant_id = $1::uuid ORDER BY a LIMIT 5 FOR UPDATE SKIP LOCKED",
    (
        f"WITH c AS (SELECT b FROM {T} WHERE tenant_id = $1 LIMIT 4 FOR UPDATE SKIP LOCKED) "
        f"UPDATE {T} SET a = 1 FROM c WHERE tenant_id = $1 AND {T}.b = c.b"
    ),
    "SELECT customer.tenants_with_unsent_events()",
    (
        f"SELECT u.a, now() FROM {T} u JOIN customer.o ON o.tenant_id = u.tenant_id WHERE "
        "u.tenant_id = $1"
    ),
    (
        f"SELECT a FROM {T} LEFT JOIN customer.o o ON o.tenant_id = $1 AND o.id = t.id "
        "WHERE t.tenant_id = $1"
    ),
    (
        f"SELECT a FROM {T} WHERE tenant_id = $1 AND EXISTS (SELECT 1 FROM customer.o "
        "WHERE o.tenant_id = t.tenant_id AND o.id = t.id)"
    ),
    (
        f"SELECT x.a FROM (SELECT a, tenant_id FROM {T} WHERE tenant_id = $1) x "
        "JOIN customer.o ON o.tenant_id = x.tenant_id"
    ),
    (
        f"WITH RECURSIVE r AS (SELECT a FROM {T} WHERE tenant_id = $1 UNION ALL "
        f"SELECT t.a FROM {T} t, r WHERE t.tenant_id = $1 AND t.a > r.a) SELECT a FROM r"
    ),
    f"INSERT INTO {T} (tenant_id, a, at) VALUES ($1, $2, now())",
    f"INSERT INTO {T} (tenant_id, a) SELECT $1, x FROM unnest($2::int[]) AS u(x) RETURNING a",
    (
        f"WITH s AS MATERIALIZED (SELECT tenant_id, a FROM {T} WHERE tenant_id = $1) "
        "INSERT INTO customer.o (tenant_id, a) SELECT s.tenant_id, s.a FROM s "
        "ON CONFLICT (tenant_id, a) DO UPDATE SET a = excluded.a"
    ),
    (
        f"UPDATE {T} SET a = n.a, n = t.n + 1 FROM unnest($1::int[], $2::int[]) AS n(id, a) "
        "WHERE t.tenant_id = $3 AND t.id = n.id"
    ),
    (
        f"DELETE FROM {T} WHERE tenant_id = $1 AND id IN (SELECT id FROM customer.o "
        "WHERE tenant_id = $1)"
    ),
    f"COPY (SELECT a FROM {T} WHERE tenant_id = 'x') TO STDOUT",
    "SET LOCAL plan_cache_mode = force_custom_plan",
]
BAD = {
    "0: a part runs queries": f"TRUNCATE {T}",
    "1: set_config": "SELECT set_config('careloop.tenant', $1, true)",
    "1: settings": "SET LOCAL careloop.tenant = 'x'",
    "2: 2 statements": f"DELETE FROM {T} WHERE tenant_id = $1; SELECT 1",
    "3: customer.t is touched": f"SELECT a FROM {T} WHERE id = $1",
    "3: customer.o is touched": f"SELECT a FROM {T} JOIN customer.o ON o.id = t.id "
    "WHERE t.tenant_id = $1",
    "3: customer.p is touched": f"SELECT a FROM {T} WHERE tenant_id = $1 AND EXISTS "
    "(SELECT 1 FROM customer.p WHERE p.id = t.id)",
    "3: customer.q is touched": "WITH s AS (SELECT a FROM customer.q) SELECT a FROM s",
    "3: customer.r is touched": f"SELECT a FROM {T}, customer.r WHERE tenant_id = $1",
    "3: customer.v is touched": "SELECT a FROM customer.v WHERE tenant_id = $1 OR a = 1",
    "3: customer.w is touched": "SELECT a FROM customer.w WHERE tenant_id = ANY($1)",
    "3: customer.x is touched": "UPDATE customer.x SET a = 1 "
    "FROM unnest($1::uuid[]) AS n(tenant_id) WHERE x.tenant_id = n.tenant_id",
    "3: customer.y is touched": "DELETE FROM customer.y WHERE id = $1",
    "3: customer.t gets rows without": f"INSERT INTO {T} (a) VALUES ($1)",
    "3: customer.t gets rows of a tenant": f"INSERT INTO {T} (tenant_id, a) SELECT n.tenant_id, 1 "
    "FROM unnest($1::uuid[]) AS n(tenant_id) RETURNING a",
    "5: INSERT": f"INSERT INTO {T} (tenant_id, a) SELECT $1, x FROM unnest($2::int[]) AS u(x)",
    "6: a part loads": f"COPY {T} FROM STDIN",
    "7: rows of a table": f"INSERT INTO customer.o (tenant_id, a) SELECT tenant_id, a FROM {T} "
    "WHERE tenant_id = $1 ON CONFLICT DO NOTHING",
    "7: WITH s": f"WITH s AS (SELECT a FROM {T} WHERE tenant_id = $1) INSERT INTO customer.o "
    "(tenant_id, a) SELECT $1, s.a FROM s ON CONFLICT DO NOTHING",
    "8: now() in": f"UPDATE {T} SET at = now() WHERE tenant_id = $1",
    "8: random() in": f"DELETE FROM {T} WHERE tenant_id = $1 AND a < random()",
    "8: clock_timestamp() in": f"INSERT INTO {T} (tenant_id, a) VALUES ($1, 2) "
    "ON CONFLICT (tenant_id) DO UPDATE SET at = coalesce(excluded.at, clock_timestamp())",
    "8: date_trunc() in": f"UPDATE {T} SET day = date_trunc('day', at) WHERE tenant_id = $1",
    "8: SVFOP_CURRENT_TIMESTAMP": f"UPDATE {T} SET at = CURRENT_TIMESTAMP WHERE tenant_id = $1",
    "8: column + interval": f"UPDATE {T} SET at = at + interval '1 day' WHERE tenant_id = $1",
    "8: a sub-select in VALUES": f"INSERT INTO {T} (tenant_id, a) VALUES ($1, "
    "(SELECT max(a) FROM customer.o WHERE tenant_id = $1))",
    "8: a sub-select in DO UPDATE": f"INSERT INTO {T} (tenant_id, a) VALUES ($1, 1) ON CONFLICT "
    "(tenant_id) DO UPDATE SET a = (SELECT 1)",
    "8: MERGE": f"MERGE INTO {T} USING (SELECT 1 AS a) s ON t.tenant_id = $1 "
    "WHEN NOT MATCHED THEN DO NOTHING",
    "9: (a, b)": f"DELETE FROM {T} WHERE tenant_id = $1 AND (a, b) IN "
    "(SELECT a, b FROM customer.o WHERE tenant_id = $1)",
    "10: FOR UPDATE": f"SELECT a FROM {T} WHERE a = $1 FOR UPDATE SKIP LOCKED",
    "10: a locked page": f"UPDATE {T} SET a = 1 FROM (SELECT b FROM {T} WHERE tenant_id = $1 "
    f"LIMIT 4 FOR UPDATE SKIP LOCKED) c WHERE tenant_id = $1 AND {T}.b = c.b",
    "10: a locked": f"DELETE FROM {T} WHERE tenant_id = $1 AND b IN (SELECT b FROM {T} "
    "WHERE tenant_id = $1 LIMIT 4 FOR UPDATE SKIP LOCKED)",
    "11: LISTEN": "LISTEN jobs",
    "11: NOTIFY": "SELECT pg_notify('jobs', '1')",
    "14: ON CONFLICT": f"INSERT INTO {T} (tenant_id) VALUES ($1) "
    "ON CONFLICT ON CONSTRAINT pk_t DO NOTHING",
    "16: ON CONFLICT begins": f"INSERT INTO {T} (tenant_id, a) VALUES ($1, 1) "
    "ON CONFLICT (a) DO NOTHING",
}
BAD_MIGRATIONS = {
    "1: set_config": "SELECT set_config('a.b', 'c', false)",
    "2: 2 statements": "ALTER TABLE t ADD a int; ALTER TABLE t ADD b int",
    "13: no types": "CREATE TYPE mood AS ENUM ('good', 'bad')",
    "13: no": "CREATE DOMAIN positive AS int CHECK (value > 0)",
    "16: a key begins with id": "CREATE TABLE t (tenant_id uuid, id uuid, PRIMARY KEY (id))",
    "16: a key begins with a": "ALTER TABLE t ADD CONSTRAINT u UNIQUE (a, tenant_id)",
    "16: a key begins with b": "ALTER TABLE t ADD FOREIGN KEY (b) REFERENCES o (b)",
    "16: ON DELETE SET NULL": "ALTER TABLE t ADD FOREIGN KEY (tenant_id, b) "
    "REFERENCES o (tenant_id, b) ON DELETE SET NULL",
    "17: no triggers": "CREATE TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION f()",
    "18: an identity": "ALTER TABLE t ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY",
    "18: an": "ALTER TABLE t ALTER COLUMN n ADD GENERATED ALWAYS AS IDENTITY",
}


@pytest.mark.parametrize("sql", GOOD)
def test_what_keeps_the_rules_passes(sql: str):
    assert faults_of(sql, mutable=MUTABLE) == []


@pytest.mark.parametrize(("fault", "sql"), BAD.items(), ids=BAD.keys())
def test_each_rule_is_enforced(fault: str, sql: str):
    assert any(found.startswith(fault) for found in faults_of(sql, mutable=MUTABLE))


@pytest.mark.parametrize(("fault", "sql"), BAD_MIGRATIONS.items(), ids=BAD_MIGRATIONS.keys())
def test_each_rule_of_schemas_is_enforced(fault: str, sql: str):
    assert any(found.startswith(fault) for found in faults_of_migration(sql))


async def test_every_statement_that_is_written_down_keeps_the_rules(database_url: str):
    """Statements made when a module is loaded, or an object that knows its schema."""
    mutable = await mutable_functions(database_url)
    written = dict(written_statements())
    assert len(written) > 200, "the search has gone blind"
    found = {name: wrong for name, sql in written.items() if (wrong := faults(sql, mutable))}
    assert found == {}


async def test_every_migration_keeps_the_rules(database_url: str, root_key: str):
    run: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        run.append(statement)

    url = await create_database(database_url, "migrated_for_its_sql", template="template0")
    event.listen(Engine, "before_cursor_execute", hear)
    try:
        await migrate(url, root_key=root_key)
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
    assert len(run) > 300
    # The version of a schema belongs to the database, not to a tenant.
    ours = [sql for sql in run if "alembic_version" not in sql]
    found = {sql: wrong for sql in ours if (wrong := faults_of_migration(sql))}
    assert found == {}


_SIGHTS = {
    "everything": None,
    "own": Sight(UUID(int=1), of_teams=False),
    "of teams": Sight(UUID(int=1), of_teams=True),
}


def written_statements() -> Iterator[tuple[str, str]]:
    """The name and the text of each."""
    dialect = asyncpg.dialect()  # type: ignore[no-untyped-call]
    for name, statement in _written():
        assert isinstance(statement, ClauseElement)
        try:
            yield name, str(statement.compile(dialect=dialect))
        except CompileError:
            continue  # A beginning that has no columns yet.


def _written() -> Iterator[tuple[str, Executable]]:
    for package in (shared, services, gateway):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(found.name)
            for name, value in vars(module).items():
                # What is written small is a piece that statements are made of.
                if name.islower():
                    continue
                yield from _statements_in(f"{module.__name__}.{name}", value)
    for repository in (SourceRepository("customer"), ConsumerRepository("customer")):
        for name, value in vars(repository).items():
            yield from _statements_in(f"{type(repository).__name__}.{name}", value)


def _statements_in(name: str, value: Any) -> Iterator[tuple[str, Executable]]:
    if isinstance(value, Executable) and getattr(value, "is_dml", False) | getattr(
        value, "is_select", False
    ) | getattr(value, "is_text", False):
        yield name, value
    elif isinstance(value, Aside):
        yield from _statements_in(name, value.statement)
    elif isinstance(value, Sighted):
        for seen, sight in _SIGHTS.items():
            yield from _statements_in(f"{name}[{seen}]", value.seen_by(sight)[0])
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _statements_in(f"{name}[{key}]", item)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for number, item in enumerate(value):
            yield from _statements_in(f"{name}[{number}]", item)
