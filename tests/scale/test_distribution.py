"""What `careloop db` says about a cluster; on a server that is none, everything but Citus' own."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from migrations.distribution import NotACluster, distribute, distribution_of
from shared.clock import SystemClock
from shared.db.engine import create_engine
from shared.db.unit_of_work import UnitsOfWork
from shared.db.walls import WallsDown, check_walls
from shared.settings import SCHEMAS, part_database_url
from tests.architecture.parts import ALL_TABLES
from tests.architecture.sql.tree import statements
from tests.support.nursery import nursery
from tests.support.servers import create_database

CITUS = "create_distributed_"


@pytest.fixture(scope="module")
async def own_database(worker_number: int) -> str:
    """A database that may be spoilt."""
    return await create_database(
        os.environ["CARELOOP_TEST_POSTGRES"], f"distributed_{worker_number}"
    )


@pytest.fixture(scope="module")
async def admin(own_database: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(own_database, poolclass=NullPool)
    yield engine
    await engine.dispose()


async def test_every_table_is_spread_by_tenant_beside_its_neighbours(admin: AsyncEngine) -> None:
    steps = [step.sql for step in await distribution_of(admin, SCHEMAS)]
    for sql in steps:
        assert len(statements(sql)) == 1
    spread = [sql for sql in steps if "create_distributed_table" in sql]
    assert len(spread) == len(ALL_TABLES)
    for table in ALL_TABLES:
        [mine] = [sql for sql in spread if f"'{table.fullname}'," in sql.replace('"', "")]
        assert "'tenant_id'" in mine
        assert f"'{table.schema}." in mine.split("=>")[1] or "'none'" in mine.split("=>")[1]
    assert sum("'none'" in sql for sql in spread) == len(SCHEMAS), "one group per part"


async def test_foreign_keys_are_out_of_the_way_meanwhile(admin: AsyncEngine) -> None:
    steps = [step.sql for step in await distribution_of(admin, ["customer"])]
    dropped = [n for n, sql in enumerate(steps) if "DROP CONSTRAINT" in sql]
    added = [n for n, sql in enumerate(steps) if "ADD CONSTRAINT" in sql]
    spread = [n for n, sql in enumerate(steps) if "create_distributed_table" in sql]
    assert dropped
    assert len(dropped) == len(added)
    assert max(dropped) < min(spread) <= max(spread) < min(added)


async def test_what_a_plain_server_understands_of_it_changes_nothing_it_says(
    admin: AsyncEngine,
) -> None:
    """Constraints are as before, and listings tell the same tenants."""
    everything = text(
        "SELECT array_agg(conname || pg_get_constraintdef(oid) ORDER BY conname) FROM pg_constraint"
    )
    listings = text(
        "SELECT p.oid::regproc::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
        "WHERE n.nspname = ANY(:schemas) AND p.prorettype = 'uuid'::regtype AND p.proretset "
        "AND p.pronargs = 0"
    )

    async def told(connection) -> dict[str, list[object]]:
        names = (await connection.execute(listings, {"schemas": list(SCHEMAS)})).scalars().all()
        return {
            name: sorted((await connection.execute(text(f"SELECT {name}()"))).scalars())
            for name in names
        }

    async with admin.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO customer.job (tenant_id, id, kind, status, done, detail, created_at,"
                " updated_at) SELECT gen_random_uuid(), gen_random_uuid(), 'x', 'queued', 0, '{}',"
                " now(), now() FROM generate_series(1, 5)"
            )
        )
    async with admin.connect() as connection:
        before = ((await connection.execute(everything)).scalar(), await told(connection))
        assert len(before[1]["customer.tenants_with_waiting_jobs"]) == 5
        for step in await distribution_of(admin, SCHEMAS):
            if CITUS not in step.sql:
                await connection.exec_driver_sql(step.sql)
        after = ((await connection.execute(everything)).scalar(), await told(connection))
        assert after == before
        await connection.rollback()


async def test_a_server_that_is_no_cluster_is_left_alone(admin: AsyncEngine) -> None:
    with pytest.raises(NotACluster, match="no Citus"):
        await distribute(admin, SCHEMAS)


class TestWalls:
    @pytest.fixture
    async def units(self, own_database: str, root_key: str) -> AsyncIterator[UnitsOfWork]:
        url = part_database_url("customer", admin_url=own_database, root_key=root_key)
        engine = create_engine(url, pool_size=1, application="walls")
        units = UnitsOfWork(engine=engine, schema="customer", clock=SystemClock())
        yield units
        await units.close()

    async def test_walls_that_stand(self, units: UnitsOfWork) -> None:
        await check_walls(units)

    async def test_a_tenant_that_does_not_reach_the_rows(
        self, units: UnitsOfWork, admin: AsyncEngine
    ) -> None:
        """What a cluster does that keeps SET LOCAL on its coordinator."""
        async with changed(
            admin,
            "ALTER FUNCTION customer.set_tenant(uuid) RENAME TO kept_aside",
            "CREATE FUNCTION customer.set_tenant(tenant uuid) RETURNS void LANGUAGE sql AS ''",
            undo=[
                "DROP FUNCTION customer.set_tenant(uuid)",
                "ALTER FUNCTION customer.kept_aside(uuid) RENAME TO set_tenant",
            ],
        ):
            with pytest.raises(WallsDown, match="propagate_set_commands"):
                await check_walls(units)

    async def test_a_policy_that_lets_everybody_see_everything(
        self, units: UnitsOfWork, admin: AsyncEngine
    ) -> None:
        async with changed(
            admin,
            "CREATE POLICY hole ON customer.code_counter USING (true)",
            undo=["DROP POLICY hole ON customer.code_counter"],
        ):
            with pytest.raises(WallsDown, match="another tenant's row"):
                await check_walls(units)

    async def test_rows_that_nobody_sees(self, units: UnitsOfWork, admin: AsyncEngine) -> None:
        async with changed(
            admin,
            "CREATE POLICY blind ON customer.code_counter AS RESTRICTIVE FOR SELECT USING (false)",
            undo=["DROP POLICY blind ON customer.code_counter"],
        ):
            with pytest.raises(WallsDown, match="not seen"):
                await check_walls(units)


@asynccontextmanager
async def changed(admin: AsyncEngine, *changes: str, undo: list[str]) -> AsyncIterator[None]:
    """A change of the schema for the time of a block."""
    async with admin.begin() as connection:
        for change in changes:
            await connection.execute(text(change))
        await connection.execute(
            text("GRANT EXECUTE ON FUNCTION customer.set_tenant(uuid) TO careloop_customer")
        )
    try:
        yield
    finally:
        async with admin.begin() as connection:
            for change in undo:
                await connection.execute(text(change))


def careloop_db(*arguments: str, database_url: str, root_key: str, home: Path):
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "CARELOOP_SECRET_KEY": root_key,
        "CARELOOP_HOME": str(home),
    }
    return nursery().run("db", *arguments, environment=environment, seconds=120)


def test_the_command_prints_and_checks(own_database: str, root_key: str, tmp_path: Path) -> None:
    def run(*arguments: str):
        return careloop_db(*arguments, database_url=own_database, root_key=root_key, home=tmp_path)

    printed = run("distribute", "--part", "messaging")
    assert printed.returncode == 0, printed.stderr
    assert len(statements(printed.stdout)) > 15
    assert "customer." not in printed.stdout
    refused = run("distribute", "--apply")
    assert (refused.returncode, "no Citus" in refused.stderr) == (1, True)
    assert run("check").stdout.count("tenants are kept apart") == len(SCHEMAS)
    assert run("url", "customer").stdout.startswith("postgresql+asyncpg://careloop_customer:")
