"""How a part's schema is spread over the nodes of a Citus cluster, read off its catalogue.

Every table of a part is sharded by `tenant_id` and colocated, so that whatever one tenant's
transaction touches lies on one node. Nothing is a reference table: no table is without a tenant.
Alembic's own table stays on the coordinator.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from migrations.environment import owner_role
from shared.settings import login_role

_TABLES = text(
    """
    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = :schema AND c.relkind = 'r' AND c.relname <> 'alembic_version'
    ORDER BY c.relname
    """
)
_FOREIGN_KEYS = text(
    """
    SELECT k.conrelid::regclass::text AS "table", k.confrelid::regclass::text AS refers_to,
           quote_ident(k.conname) AS name, pg_get_constraintdef(k.oid) AS definition
    FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
    WHERE n.nspname = :schema AND k.contype = 'f' ORDER BY k.conname
    """
)
_LISTINGS = text(
    """
    SELECT p.oid::regprocedure::text AS signature, p.prosrc AS body
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = :schema AND p.prosrc LIKE '%WITH RECURSIVE hop%' ORDER BY p.proname
    """
)
_HOPS = re.compile(r"FROM (?P<table>\S+) t WHERE (?P<where>.*?) ORDER BY t\.tenant_id", re.DOTALL)
_SPREAD = text("SELECT logicalrelid::text FROM pg_dist_partition WHERE partmethod = 'h'")
_IS_CITUS = text("SELECT count(*) FROM pg_extension WHERE extname = 'citus'")


class NotACluster(Exception):
    """The server has no Citus."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One step of spreading a schema, and why it is needed."""

    sql: str
    why: str


async def distribution_of(engine: AsyncEngine, schemas: Sequence[str]) -> list[Statement]:
    """Every statement that spreads these schemas, in the order to run them in.

    What is spread already is left out, so it is the same after a later migration.
    """
    async with engine.connect() as connection:
        found: list[Statement] = []
        for schema in schemas:
            found += await _statements(connection, schema)
    return found


async def distribute(engine: AsyncEngine, schemas: Sequence[str]) -> int:
    """Spread these schemas, each in one transaction; how many statements that took.

    Raises NotACluster.
    """
    async with engine.connect() as connection:
        if not await _is_citus(connection):
            raise NotACluster("This server has no Citus: CREATE EXTENSION citus, and add its nodes")
    count = 0
    for schema in schemas:
        async with engine.begin() as connection:
            steps = await _statements(connection, schema)
            for step in steps:
                await connection.exec_driver_sql(step.sql)
        count += len(steps)
    return count


async def _statements(connection: AsyncConnection, schema: str) -> list[Statement]:
    tables = list((await connection.execute(_TABLES, {"schema": schema})).scalars())
    keys = (await connection.execute(_FOREIGN_KEYS, {"schema": schema})).all()
    listings = (await connection.execute(_LISTINGS, {"schema": schema})).all()
    spread = await _spread_already(connection)
    new = [table for table in tables if table not in spread]
    in_the_way = [key for key in keys if {key.table, key.refers_to} & set(new)]
    return [
        *_roles(schema),
        *(
            Statement(
                f"ALTER TABLE {key.table} DROP CONSTRAINT {key.name}",
                "a table that refers to another cannot be spread before it",
            )
            for key in in_the_way
        ),
        *(
            Statement(
                f"SELECT create_distributed_table('{table}', 'tenant_id', "
                f"colocate_with => '{'none' if table == tables[0] else tables[0]}')",
                "by tenant, beside the other tables of the part",
            )
            for table in new
        ),
        *(
            Statement(
                f"ALTER TABLE {key.table} ADD CONSTRAINT {key.name} {key.definition}",
                "as before: both ends lie on one node",
            )
            for key in in_the_way
        ),
        Statement(
            f"SELECT create_distributed_function('{schema}.set_tenant(uuid)')",
            "it is called on every node",
        ),
        *(_plain_listing(listing.signature, listing.body) for listing in listings),
    ]


async def _is_citus(connection: AsyncConnection) -> bool:
    return bool((await connection.execute(_IS_CITUS)).scalar())


async def _spread_already(connection: AsyncConnection) -> set[str]:
    if not await _is_citus(connection):
        return set()
    return set((await connection.execute(_SPREAD)).scalars())


def _roles(schema: str) -> Iterator[Statement]:
    login, owner = login_role(schema), owner_role(schema)
    yield Statement(
        f"ALTER ROLE {login} SET citus.propagate_set_commands = 'local'",
        "the tenant of a transaction must reach every node",
    )
    yield Statement(
        f"ALTER ROLE {owner} SET citus.propagate_set_commands = 'local'",
        "the same for functions that run as the owner",
    )
    yield Statement(
        f"ALTER ROLE {owner} LOGIN",
        "nodes talk to each other as the role that a function runs as; pg_hba.conf must let it in "
        "from nodes only",
    )


def _plain_listing(signature: str, body: str) -> Statement:
    """A listing of tenants that asks all nodes at once: Citus has no recursion over shards."""
    hops = _HOPS.search(body)
    if hops is None:
        raise ValueError(f"{signature} is not a listing of tenants: {body}")
    return Statement(
        f"CREATE OR REPLACE FUNCTION {signature} RETURNS SETOF uuid LANGUAGE sql STABLE "
        "SECURITY DEFINER SET search_path = pg_catalog AS $$ SELECT DISTINCT t.tenant_id "
        f"FROM {hops['table']} t WHERE {hops['where']} $$",
        "no recursion over shards",
    )
