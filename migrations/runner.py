"""Brings a server to the current state: roles, schemas, then each schema's history."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from migrations.environment import owner_role
from shared.db.failures import sqlstate
from shared.db.protection import schema_functions
from shared.security.keys import RootKey, derive_password
from shared.settings import SCHEMAS, login_role

HOME = Path(__file__).parent
# Unique violation or duplicate object; a role that was changed by two at the same time.
_ROLE_RACES = frozenset({"23505", "42710", "XX000"})
_ROLE_ATTEMPTS = 20
_ROLE_PAUSE_SECONDS = 0.1
# Per database, until the transaction ends.
_ONE_STARTER_AT_A_TIME = text("SELECT pg_advisory_xact_lock(4711)")


async def migrate(admin_url: str, *, root_key: RootKey, schemas: Sequence[str] = SCHEMAS) -> None:
    """Create what is missing and run every history to its head. Safe to run again and again.

    `admin_url` must name a role that may create roles, schemas and extensions.
    """
    engine = create_async_engine(admin_url, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_prepare_server)
        for schema in schemas:
            await with_roles(engine, partial(ensure_schema, schema=schema, root_key=root_key))
            async with engine.begin() as connection:
                await connection.run_sync(_upgrade, schema)
    finally:
        await engine.dispose()


async def with_roles(engine: AsyncEngine, work: Callable[[Connection], None]) -> None:
    """Run `work`, which creates roles, in a transaction of its own.

    Roles belong to the whole server. Somebody who prepares another of its databases at the same
    time may get in between, and no advisory lock reaches that far: then it is run again.
    """
    for attempts_left in reversed(range(_ROLE_ATTEMPTS)):
        try:
            async with engine.begin() as connection:
                await connection.run_sync(work)
            return
        except DBAPIError as error:
            if attempts_left == 0 or sqlstate(error) not in _ROLE_RACES:
                raise
        await asyncio.sleep(_ROLE_PAUSE_SECONDS)


async def schemas_behind(engine: AsyncEngine, schemas: Sequence[str] = SCHEMAS) -> list[str]:
    """The schemas that are not at the head of their history."""
    async with engine.connect() as connection:
        return [s for s in schemas if not await connection.run_sync(_is_at_head, s)]


def ensure_schema(connection: Connection, schema: str, *, root_key: RootKey) -> None:
    """Create or refresh a schema, its owner, its login role and `set_tenant`."""
    connection.execute(_ONE_STARTER_AT_A_TIME)
    owner, login = owner_role(schema), login_role(schema)
    _ensure_role(connection, owner, "NOLOGIN")
    password = derive_password(root_key, login)
    _ensure_role(connection, login, f"LOGIN PASSWORD '{password}' NOBYPASSRLS")
    connection.execute(text(f"GRANT {owner} TO CURRENT_USER"))
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {owner}"))
    connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {login}"))
    for statement in schema_functions(schema):
        connection.execute(text(statement))


def alembic_config(schema: str, connection: Connection | None = None) -> Config:
    """Alembic's configuration of one schema's history."""
    config = Config()
    config.set_main_option("script_location", str(HOME / schema))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def _prepare_server(connection: Connection) -> None:
    # Two starters must not create the same role at once; the lock ends with the transaction.
    connection.execute(_ONE_STARTER_AT_A_TIME)
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public"))
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS btree_gin WITH SCHEMA public"))


def _ensure_role(connection: Connection, role: str, attributes: str) -> None:
    known = connection.execute(
        text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}
    ).scalar()
    verb = "ALTER" if known else "CREATE"
    connection.execute(text(f"{verb} ROLE {role} WITH {attributes}"))


def _upgrade(connection: Connection, schema: str) -> None:
    connection.execute(_ONE_STARTER_AT_A_TIME)
    connection.execute(text(f"SET LOCAL ROLE {owner_role(schema)}"))
    command.upgrade(alembic_config(schema, connection), "head")


def _is_at_head(connection: Connection, schema: str) -> bool:
    head = ScriptDirectory.from_config(alembic_config(schema)).get_current_head()
    options = {"version_table_schema": schema}
    current = MigrationContext.configure(connection, opts=options).get_current_revision()
    return current == head
