"""Brings a server to the current state: roles, schemas, then each schema's history."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from functools import cache, partial
from itertools import takewhile
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
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
# Per database, until the connection ends.
_TRY_TO_BE_THE_ONE = text("SELECT pg_try_advisory_lock(4712)")
_TURN_SECONDS = 0.1
_NO_TEMPORARY_TABLES = text(
    """
    DO $$ BEGIN
        EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    END $$
    """
)
# Without `pg_temp` at the end, a caller's temporary table of the same name would be found first.
_SAFE_SEARCH_PATH = "pg_catalog, pg_temp"
_LOOSE_FUNCTIONS = text(
    """
    SELECT CAST(CAST(p.oid AS regprocedure) AS text) FROM pg_proc p
    WHERE p.pronamespace = CAST(:schema AS regnamespace) AND p.prosecdef
      AND coalesce(p.proconfig, '{}') <> ARRAY['search_path=' || :path]
    """
)
_HELD_UP = frozenset({"55P03", "40P01"})
"""No lock was to be had in time, or not without others losing theirs."""
_LOCK_ATTEMPTS = 10
_LONGEST_PAUSE_SECONDS = 10
_log = structlog.get_logger(__name__)


async def migrate(
    admin_url: str,
    *,
    root_key: RootKey,
    schemas: Sequence[str] = SCHEMAS,
    contract: bool = False,
) -> list[str]:
    """Create what is missing and run every history to its head. Safe to run again and again.

    Migrations that take something away (`contract = "why"` in the file) wait for `contract=True`,
    because processes of the release before may still run; the schemas that wait for it are
    returned. A schema that a later release has migrated is left as it is.

    `admin_url` must name a role that may create roles, schemas and extensions.
    """
    engine = create_async_engine(admin_url, poolclass=NullPool)
    try:
        async with _one_starter_of_all(engine):
            async with engine.begin() as connection:
                await connection.run_sync(_prepare_server)
            for schema in schemas:
                await with_roles(engine, partial(ensure_schema, schema=schema, root_key=root_key))
                await _upgrade(engine, schema, contract=contract)
                async with engine.begin() as connection:
                    await connection.run_sync(_pin_search_paths, schema)
        return await schemas_behind(engine, schemas)
    finally:
        await engine.dispose()


async def to_revision(engine: AsyncEngine, schema: str, revision: str) -> None:
    """Take a schema up or down to a revision of its history ("base" is before the first)."""
    async with engine.connect() as connection:
        await connection.run_sync(_move, schema, revision)


async def current_revision(engine: AsyncEngine, schema: str) -> str | None:
    """The revision that a schema is at; None before the first."""
    async with engine.connect() as connection:
        return await connection.run_sync(_current, schema)


def history(schema: str) -> list[str]:
    """The revisions of a schema, the first one first."""
    return [step.revision for step in _steps(schema)]


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
    """The schemas that miss something that this release brings."""
    async with engine.connect() as connection:
        return [s for s in schemas if not await connection.run_sync(_is_current, s)]


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


def _pin_search_paths(connection: Connection, schema: str) -> None:
    """See to it that what runs as the owner finds what is meant, whoever calls it."""
    parameters = {"schema": schema, "path": _SAFE_SEARCH_PATH}
    for function in connection.execute(_LOOSE_FUNCTIONS, parameters).scalars().all():
        connection.execute(text(f"ALTER FUNCTION {function} SET search_path = {_SAFE_SEARCH_PATH}"))


def _prepare_server(connection: Connection) -> None:
    # Two starters must not create the same role at once; the lock ends with the transaction.
    connection.execute(_ONE_STARTER_AT_A_TIME)
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public"))
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS btree_gin WITH SCHEMA public"))
    # The parts' roles create nothing at all, not even for themselves.
    connection.execute(_NO_TEMPORARY_TABLES)


def _ensure_role(connection: Connection, role: str, attributes: str) -> None:
    known = connection.execute(
        text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}
    ).scalar()
    verb = "ALTER" if known else "CREATE"
    connection.execute(text(f"{verb} ROLE {role} WITH {attributes}"))


@asynccontextmanager
async def _one_starter_of_all(engine: AsyncEngine) -> AsyncIterator[None]:
    """One process migrates; the others wait, and then find nothing left to do.

    They ask again and again instead of waiting in the server: a session that waits there holds a
    snapshot, and an index that is built online waits for every older snapshot.
    """
    async with engine.connect() as holder:
        await holder.execution_options(isolation_level="AUTOCOMMIT")
        while not (await holder.execute(_TRY_TO_BE_THE_ONE)).scalar():  # noqa: ASYNC110
            await asyncio.sleep(_TURN_SECONDS)
        yield


async def _upgrade(engine: AsyncEngine, schema: str, *, contract: bool) -> None:
    """Run what is pending, patiently: one that got no lock lets the others pass and comes again."""
    current = await current_revision(engine, schema)
    target = _target(schema, current, contract=contract)
    if target is None:
        return
    for attempt in range(1, _LOCK_ATTEMPTS + 1):
        try:
            await to_revision(engine, schema, target)
            return
        except DBAPIError as error:
            if sqlstate(error) not in _HELD_UP or attempt == _LOCK_ATTEMPTS:
                raise
            _log.warning("migration_waits_for_lock", schema=schema, attempt=attempt)
        await asyncio.sleep(min(attempt, _LONGEST_PAUSE_SECONDS))


def _target(schema: str, current: str | None, *, contract: bool) -> str | None:
    """How far to go; None when there is nothing to do."""
    revisions = history(schema)
    if current is not None and current not in revisions:
        _log.warning("schema_is_ahead", schema=schema, revision=current)
        return None
    held_back = set() if contract else contract_revisions(schema)
    return how_far(revisions, current, held_back=held_back)


def how_far(
    revisions: Sequence[str], current: str | None, *, held_back: AbstractSet[str]
) -> str | None:
    """The last revision to go to from a known one; None when there is nothing to do."""
    if current is None:
        # Nobody uses a database without tables: what is taken away later may go at once.
        return revisions[-1] if revisions else None
    pending = revisions[revisions.index(current) + 1 :]
    passing = list(takewhile(lambda revision: revision not in held_back, pending))
    return passing[-1] if passing else None


def contract_revisions(schema: str) -> set[str]:
    """The migrations that take away what the release before may still use."""
    return _with_mark(schema, "contract")


def unnoticed_revisions(schema: str) -> set[str]:
    """The migrations that say why what they take away was never used by the release before."""
    return _with_mark(schema, "unnoticed")


def _with_mark(schema: str, mark: str) -> set[str]:
    return {step.revision for step in _steps(schema) if getattr(step.module, mark, "")}


@cache
def _steps(schema: str) -> Sequence[Script]:
    """A schema's history, the first migration first.

    Alembic reads all files of a history each time that it is asked.
    """
    return [*ScriptDirectory.from_config(alembic_config(schema)).walk_revisions()][::-1]


def _move(connection: Connection, schema: str, revision: str) -> None:
    current, revisions = _current(connection, schema), history(schema)
    connection.rollback()
    place = -1 if current is None else revisions.index(current)
    down = revision == "base" or revisions.index(revision) < place
    run = command.downgrade if down else command.upgrade
    run(alembic_config(schema, connection), revision)


def _current(connection: Connection, schema: str) -> str | None:
    options = {"version_table_schema": schema}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def _is_current(connection: Connection, schema: str) -> bool:
    current, revisions = _current(connection, schema), history(schema)
    return current == revisions[-1] if current in revisions else current is not None
