"""How far a starter migrates, and how it behaves among others."""

import asyncio
import os

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from migrations.environment import LOCK_TIMEOUT
from migrations.runner import current_revision, history, how_far, migrate, schemas_behind
from tests.migrations.history import empty_history
from tests.support.servers import create_database
from tests.support.waiting import eventually

REVISIONS = ["1", "2", "3", "4"]


@pytest.fixture
async def migrated(worker_number: int):
    """The administrator of a migrated database of this test's own."""
    url = await create_database(os.environ["CARELOOP_TEST_POSTGRES"], f"runner_{worker_number}")
    engine = create_async_engine(url, poolclass=NullPool)
    yield engine
    await engine.dispose()


@pytest.mark.parametrize(
    ("current", "held_back", "target"),
    [
        (None, {"3"}, "4"),  # a new database has nobody to disturb
        ("1", set(), "4"),
        ("1", {"3"}, "2"),  # what takes away holds back what comes after it as well
        ("2", {"3"}, None),
        ("4", {"3"}, None),
    ],
)
def test_what_takes_away_waits_to_be_asked_for(current, held_back, target):
    assert how_far(REVISIONS, current, held_back=held_back) == target


async def test_a_schema_of_a_later_release_is_left_alone(migrated, root_key: str):
    """The release before is started again: the later schema only has more."""
    async with migrated.begin() as connection:
        await connection.execute(text("UPDATE messaging.alembic_version SET version_num = '9999'"))
    url = migrated.url.render_as_string(hide_password=False)
    assert await migrate(url, root_key=root_key, schemas=["messaging"]) == []
    assert await current_revision(migrated, "messaging") == "9999"
    assert await schemas_behind(migrated, ["messaging"]) == []


async def test_a_migration_gives_way_and_comes_again(migrated, worker_number: int, root_key: str):
    """Somebody reads the table all the time: nobody queues up behind a migration that waits."""
    first, *_, last = history("customer")
    url = await create_database(
        os.environ["CARELOOP_TEST_POSTGRES"], f"locked_{worker_number}", template="template0"
    )
    async with empty_history(url, "customer", root_key=root_key) as steps:
        await steps.go_to(first)
        async with steps.engine.connect() as reader:
            await reader.execute(text("LOCK TABLE customer.job IN ACCESS SHARE MODE"))
            migrating = asyncio.create_task(migrate(url, root_key=root_key, schemas=["customer"]))
            waiting = text(
                "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
                "WHERE NOT granted AND datname = current_database()"
            )

            async def is_waiting() -> int:
                async with steps.engine.connect() as observer:
                    return (await observer.execute(waiting)).scalar_one()

            await eventually(is_waiting, seconds=30)
            patience = int(LOCK_TIMEOUT.removesuffix("s"))
            await eventually(is_waiting, lambda count: count == 0, seconds=patience + 10)
            assert not migrating.done()
        await migrating
        assert await current_revision(steps.engine, "customer") == last


# The server undoes what first changes a table, as it does with one of those in a deadlock.
_UNDONE_ONCE = (
    "CREATE SEQUENCE public.begun",
    """
    CREATE FUNCTION public.undo_once() RETURNS event_trigger
    LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
        IF nextval('public.begun') = 1 THEN
            RAISE EXCEPTION 'deadlock detected' USING ERRCODE = 'deadlock_detected';
        END IF;
    END $$
    """,
    """
    CREATE EVENT TRIGGER undo_once ON ddl_command_start
    WHEN TAG IN ('ALTER TABLE', 'CREATE TABLE', 'CREATE INDEX')
    EXECUTE FUNCTION public.undo_once()
    """,
)


async def test_a_migration_that_met_a_deadlock_comes_again(root_key: str, worker_number: int):
    """The server undoes one of two that wait for each other, and that may be the migration."""
    first, *_, last = history("messaging")
    url = await create_database(
        os.environ["CARELOOP_TEST_POSTGRES"], f"deadlock_{worker_number}", template="template0"
    )
    async with empty_history(url, "messaging", root_key=root_key) as steps:
        await steps.go_to(first)
        async with steps.engine.begin() as connection:
            for statement in _UNDONE_ONCE:
                await connection.execute(text(statement))
        await migrate(url, root_key=root_key, schemas=["messaging"])
        assert await current_revision(steps.engine, "messaging") == last
        async with steps.engine.connect() as connection:
            begun = await connection.execute(text("SELECT last_value FROM public.begun"))
            assert begun.scalar_one() > 1
