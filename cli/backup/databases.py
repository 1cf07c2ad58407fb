"""The administrator's connections: one per database, however many parts live in it."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg
from sqlalchemy.engine import make_url

from cli.backup.errors import NotAllowed
from cli.errors import NotReady
from shared.settings import SCHEMAS

_SEES_EVERYTHING = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
_BARRIER_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Database:
    """A database and the parts that live in it."""

    url: str
    schemas: tuple[str, ...]
    connection: asyncpg.Connection


def admin_urls(environment: Mapping[str, str]) -> dict[str, str]:
    """The administrator's URL of each part: `<PART>_ADMIN_DATABASE_URL`, else `DATABASE_URL`.

    Raises NotReady.
    """
    found = {
        part: environment.get(f"{part.upper()}_ADMIN_DATABASE_URL")
        or environment.get("DATABASE_URL", "")
        for part in SCHEMAS
    }
    if not all(found.values()):
        raise NotReady("No server is running. Set DATABASE_URL, or use careloop up.")
    return found


@asynccontextmanager
async def databases(urls: Mapping[str, str]) -> AsyncIterator[list[Database]]:
    """A connection per database. Raises NotAllowed when its role does not see every row."""
    async with AsyncExitStack() as stack:
        opened = []
        for url in dict.fromkeys(urls.values()):
            connection = await connect(url)
            stack.push_async_callback(connection.close)
            if not await connection.fetchval(_SEES_EVERYTHING):
                raise NotAllowed(
                    f"The role of {_shown(url)} does not see every shop's rows. "
                    "Give it BYPASSRLS, or use a superuser."
                )
            await connection.execute("SET statement_timeout = 0")
            parts = tuple(part for part, its in urls.items() if its == url)
            opened.append(Database(url, parts, connection))
        yield opened


@asynccontextmanager
async def one_moment(found: Sequence[Database]) -> AsyncIterator[None]:
    """All databases as they are at one moment, for as long as the block lasts.

    In one database a snapshot is enough. In several there is no common one; but what parts know
    of each other is in their cursors, so consumers are held up while the snapshots are taken
    (milliseconds): then no cursor is ahead of its source, and what a source has and its consumer
    has not is sent again after a restore.
    """
    async with AsyncExitStack() as barrier:
        if len(found) > 1:
            for database in found:
                await barrier.enter_async_context(_held_up(database))
        for database in found:
            await database.connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            await database.connection.execute("SELECT 1")
    try:
        yield
    finally:
        for database in found:
            await database.connection.execute("ROLLBACK")


async def connect(url: str) -> asyncpg.Connection:
    """A connection of the driver's own, which speaks COPY. Raises NotReady."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        return await asyncpg.connect(address, timeout=15)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        raise NotReady(f"{_shown(url)} does not answer: {error}. See careloop doctor.") from error


@asynccontextmanager
async def _held_up(database: Database) -> AsyncIterator[None]:
    holder = await connect(database.url)
    try:
        await holder.execute("BEGIN")
        await holder.execute(f"SET LOCAL lock_timeout = '{_BARRIER_SECONDS}s'")
        for schema in database.schemas:
            await holder.execute(f"LOCK TABLE {schema}.cursor IN SHARE MODE")
        yield
    finally:
        await holder.close()


def _shown(url: str) -> str:
    return re.sub(r"//[^@/]*@", "//", url)
