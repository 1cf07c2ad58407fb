"""The second wall, table by table: without a tenant nothing, with one only its own."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.db.failures import sqlstate
from shared.ids import new_id
from shared.settings import SCHEMAS, part_database_url
from tests.isolation.conftest import Neighbours
from tests.isolation.rows import tables

PERMISSION_DENIED = "42501"
As = Callable[[str], AbstractAsyncContextManager[AsyncConnection]]


@pytest.fixture
async def as_part(database_url: str, root_key: str) -> AsyncIterator[As]:
    """Opens a transaction of a service's own role; it is rolled back."""
    engines: dict[str, AsyncEngine] = {}
    for schema in SCHEMAS:
        url = part_database_url(schema, admin_url=database_url, root_key=root_key)
        engines[schema] = create_async_engine(url, pool_size=1)

    @asynccontextmanager
    async def opened(schema: str) -> AsyncIterator[AsyncConnection]:
        async with engines[schema].connect() as connection:
            yield connection
            await connection.rollback()

    yield opened
    for engine in engines.values():
        await engine.dispose()


async def counted(connection: AsyncConnection, table: str, where: str = "true", **values) -> int:
    found = await connection.execute(text(f"SELECT count(*) FROM {table} WHERE {where}"), values)
    count: int = found.scalar_one()
    return count


async def state_of(connection: AsyncConnection, statement: str, **values) -> str | None:
    """The SQLSTATE of a statement's failure; what it did is undone."""
    savepoint = await connection.begin_nested()
    try:
        await connection.execute(text(statement), values)
    except DBAPIError as error:
        return sqlstate(error)
    finally:
        await savepoint.rollback()
    return None


async def touched(connection: AsyncConnection, statement: str, **values) -> int:
    """How many rows a statement changes; none where the service may not change any."""
    savepoint = await connection.begin_nested()
    try:
        return (await connection.execute(text(statement), values)).rowcount
    except DBAPIError as error:
        if sqlstate(error) != PERMISSION_DENIED:
            raise
        return 0
    finally:
        await savepoint.rollback()


@pytest.mark.capability(28)
async def test_without_a_tenant_no_row_of_any_table_is_seen(
    neighbours: Neighbours, admin: AsyncEngine, as_part: As
) -> None:
    filled = 0
    for table in await tables(admin):
        async with admin.connect() as administrator:
            filled += await counted(administrator, table.qualified) > 0
        async with as_part(table.schema) as connection:
            assert await counted(connection, table.qualified) == 0, table.qualified
            for nobody in ("''", f"'{new_id()}'"):
                await connection.execute(text(f"SET LOCAL careloop.tenant = {nobody}"))
                assert await counted(connection, table.qualified) == 0, table.qualified
    assert filled > 50, "two furnished shops fill most tables"


@pytest.mark.capability(28)
async def test_with_a_tenant_only_its_own_rows_are_seen(
    neighbours: Neighbours, admin: AsyncEngine, as_part: As
) -> None:
    ours, theirs = neighbours.ours.tenant_id, neighbours.theirs.tenant_id
    for table in await tables(admin):
        name = table.qualified
        async with as_part(table.schema) as connection:
            await connection.execute(text(f"SELECT {table.schema}.set_tenant(:t)"), {"t": ours})
            assert await counted(connection, name, "tenant_id <> :ours", ours=ours) == 0, name
            assert await counted(connection, name, "tenant_id = :theirs", theirs=theirs) == 0, name
            for change in (f"DELETE FROM {name}", f"UPDATE {name} SET tenant_id = tenant_id"):
                assert await touched(connection, f"{change} WHERE tenant_id = :t", t=theirs) == 0


@pytest.mark.capability(28)
async def test_a_row_of_another_tenant_is_refused(
    neighbours: Neighbours, admin: AsyncEngine, as_part: As
) -> None:
    """The policy speaks before the table's own constraints: no other column is needed."""
    ours, theirs = neighbours.ours.tenant_id, neighbours.theirs.tenant_id
    moved = 0
    for table in await tables(admin):
        name = table.qualified
        insert = f"INSERT INTO {name} (tenant_id) VALUES (:tenant)"
        move = f"UPDATE {name} SET tenant_id = :tenant"
        async with as_part(table.schema) as connection:
            assert await state_of(connection, insert, tenant=ours) == PERMISSION_DENIED, name
            await connection.execute(text(f"SELECT {table.schema}.set_tenant(:t)"), {"t": ours})
            assert await state_of(connection, insert, tenant=theirs) == PERMISSION_DENIED, name
            assert await state_of(connection, insert, tenant=ours) != PERMISSION_DENIED, name
            if await counted(connection, name):
                assert await state_of(connection, move, tenant=theirs) == PERMISSION_DENIED, name
                moved += 1
    assert moved > 40
