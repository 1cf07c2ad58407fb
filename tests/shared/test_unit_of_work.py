import asyncio
from typing import Any, ClassVar

import asyncpg
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, InterfaceError, ProgrammingError

from shared.contracts.event import Event
from shared.db.codes import CodeAllocator
from shared.db.failures import is_outage
from shared.db.unit_of_work import UnitOfWork
from shared.errors import Unavailable
from shared.ids import TenantId, new_id
from shared.part.context import build_context
from shared.settings import login_role
from tests.support.connections import drop_connections
from tests.support.parts import part_settings

COUNTERS = text("SELECT kind, next_value FROM source.code_counter WHERE tenant_id = :tenant")
ALL_COUNTERS = text("SELECT count(*) FROM source.code_counter")
ADD = text("INSERT INTO source.code_counter VALUES (:tenant, :kind, 1)")
EVENTS = text("SELECT type FROM source.outbox WHERE tenant_id = :tenant ORDER BY recorded_at, id")


class ThingHappened(Event):
    type: ClassVar[str] = "source.thing_happened"
    what: str


async def test_nothing_is_kept_without_a_commit(source, tenant):
    async with source.units.begin(tenant) as uow:
        await uow.execute(ADD, {"tenant": tenant, "kind": "a"})
        uow.append(ThingHappened(what="a"), key=new_id())
    async with source.units.begin(tenant) as uow:
        assert await uow.rows(COUNTERS, {"tenant": tenant}) == []
        assert await uow.rows(EVENTS, {"tenant": tenant}) == []


async def test_events_become_durable_with_the_change(source, tenant):
    async with source.units.begin(tenant) as uow:
        await uow.execute(ADD, {"tenant": tenant, "kind": "a"})
        uow.append(ThingHappened(what="a"), key=new_id())
        uow.append(ThingHappened(what="b"), key=new_id())
        await uow.commit()
    async with source.units.begin(tenant) as uow:
        assert len(await uow.rows(EVENTS, {"tenant": tenant})) == 2


async def test_a_savepoint_takes_its_events_back_with_its_rows(source, tenant):
    async with source.units.begin(tenant) as uow:
        await uow.execute(ADD, {"tenant": tenant, "kind": "kept"})
        with pytest.raises(RuntimeError):
            await _fail_in_a_savepoint(uow)
        await uow.commit()
    async with source.units.begin(tenant) as uow:
        assert [row.kind for row in await uow.rows(COUNTERS, {"tenant": tenant})] == ["kept"]
        assert await uow.rows(EVENTS, {"tenant": tenant}) == []


async def _fail_in_a_savepoint(uow: UnitOfWork) -> None:
    async with uow.savepoint():
        await uow.execute(ADD, {"tenant": uow.tenant_id, "kind": "undone"})
        uow.append(ThingHappened(what="undone"), key=new_id())
        raise RuntimeError


async def test_callbacks_run_after_the_commit_only(source, tenant):
    ran: list[str] = []

    async def note() -> None:
        ran.append("committed")

    async with source.units.begin(tenant) as uow:
        uow.after_commit(note)
    assert ran == []
    async with source.units.begin(tenant) as uow:
        uow.after_commit(note)
        await uow.commit()
    assert ran == ["committed"]


async def test_a_query_that_forgot_its_tenant_sees_this_tenants_rows_only(source, tenant):
    async with source.units.begin(tenant) as uow:
        await uow.execute(ADD, {"tenant": tenant, "kind": "a"})
        await uow.commit()
    async with source.units.begin(TenantId(new_id())) as stranger:
        assert await stranger.scalar(ALL_COUNTERS) == 0
    async with source.units.engine.connect() as nobody:
        assert (await nobody.execute(ALL_COUNTERS)).scalar() == 0


async def test_a_row_of_another_tenant_cannot_be_written(source, tenant):
    async with source.units.begin(tenant) as uow:
        with pytest.raises(ProgrammingError, match="row-level security"):
            await uow.execute(ADD, {"tenant": new_id(), "kind": "a"})


async def test_a_role_cannot_read_another_parts_schema(source, sink, tenant):
    async with sink.units.begin(tenant) as uow:
        with pytest.raises(ProgrammingError, match="permission denied"):
            await uow.rows(COUNTERS, {"tenant": tenant})


async def test_codes_are_unique_across_concurrent_takers(source, tenant):
    taken = await asyncio.gather(*(source.codes.take(tenant, "thing") for _ in range(100)))
    numbers = [number for block in taken for number in block]
    assert len(set(numbers)) == 100
    assert min(numbers) == 1


async def test_two_processes_never_hand_out_the_same_code(source, tenant):
    other = CodeAllocator(source.units)
    mine = [n for _ in range(9) for n in await source.codes.take(tenant, "thing")]
    theirs = [n for _ in range(9) for n in await other.take(tenant, "thing")]
    assert not set(mine) & set(theirs)


async def test_work_that_holds_every_connection_still_gets_its_codes(narrow, tenant):
    """A code that is waited for with a connection in hand must not need one of the same pool."""

    async def work() -> range:
        async with narrow.units.begin(tenant) as uow:
            await uow.rows(COUNTERS, {"tenant": tenant})
            return await narrow.codes.take(tenant, "crowd")

    async with asyncio.timeout(30):
        taken = await asyncio.gather(*(work() for _ in range(20)))
    assert len({number for block in taken for number in block}) == 20


async def test_connections_that_wait_for_the_next_unit_answer_questions_of_the_house(
    narrow, tenant
):
    """A sweep, or a probe, must not wait for a connection that lies on the shelf."""
    async with narrow.units.begin(tenant) as busy:
        await busy.rows(COUNTERS, {"tenant": tenant})
        async with narrow.units.begin(tenant) as other:
            await other.rows(COUNTERS, {"tenant": tenant})
        async with asyncio.timeout(30):
            assert await narrow.units.ask("SELECT 1") == [1]
            assert isinstance(await narrow.units.tenants("tenants_with_unsent_events"), list)


async def test_questions_of_the_house_survive_that_the_server_dropped_its_connections(
    source, tenant, database_url
):
    assert await source.units.ask("SELECT 1") == [1]
    async with source.units.begin(tenant) as uow:
        await uow.rows(COUNTERS, {"tenant": tenant})
    await drop_connections(database_url, login_role("source"))
    assert await source.units.ask("SELECT 2") == [2]


async def test_a_failing_callback_does_not_undo_or_hide_the_commit(source, tenant):
    async def fail() -> None:
        raise RuntimeError("no one to wake")

    async with source.units.begin(tenant) as uow:
        await uow.execute(ADD, {"tenant": tenant, "kind": "a"})
        uow.after_commit(fail)
        await uow.commit()
    async with source.units.begin(tenant) as uow:
        assert len(await uow.rows(COUNTERS, {"tenant": tenant})) == 1


async def test_work_begins_although_the_server_dropped_every_pooled_connection(
    source, tenant, database_url
):
    async with source.units.begin(tenant) as one, source.units.begin(tenant) as other:
        await one.execute(ADD, {"tenant": tenant, "kind": "before"})
        await other.rows(COUNTERS, {"tenant": tenant})
        await one.commit()
    await drop_connections(database_url, login_role("source"))
    async with source.units.begin(tenant) as uow:
        assert len(await uow.rows(COUNTERS, {"tenant": tenant})) == 1


def cut_off(connection: Any) -> None:
    connection.driver_connection.terminate()


def confuse(_connection: Any) -> None:
    raise asyncpg.InternalClientError("cannot switch to state 12; another operation is in progress")


@pytest.mark.parametrize("go_wrong", [cut_off, confuse])
async def test_a_server_that_goes_away_while_a_connection_is_made_is_an_outage(
    tenant, database_url, redis_url, root_key, source, go_wrong
):
    context = build_context(
        part_settings("source", root_key=root_key, database_url=database_url, redis_url=redis_url)
    )

    @event.listens_for(context.units.engine.sync_engine, "connect", insert=True)
    def go_away(connection: Any, _record: Any) -> None:
        go_wrong(connection)

    async with context.units.begin(tenant) as uow:
        with pytest.raises(InterfaceError) as told:
            await uow.rows(COUNTERS, {"tenant": tenant})
    assert is_outage(told.value)
    await context.close()


async def test_the_server_ends_a_transaction_that_nobody_goes_on_with(source, tenant):
    async with source.units.begin(tenant) as uow:
        # It takes a minute; here the same is asked of this one transaction in a moment.
        [patience] = await uow.scalars(text("SHOW idle_in_transaction_session_timeout"))
        assert patience == "1min"
        await uow.execute(text("SET LOCAL idle_in_transaction_session_timeout = '10ms'"))
        ended = asyncio.Event()
        uow._transaction._driver.add_termination_listener(lambda _connection: ended.set())
        await asyncio.wait_for(ended.wait(), 30)
        with pytest.raises(DBAPIError) as told:
            await uow.rows(COUNTERS, {"tenant": tenant})
    assert is_outage(told.value)


async def test_a_connection_whose_commit_was_cancelled_serves_nobody_else(
    source, tenant, monkeypatch
):
    """Nobody knows in what state it is."""
    async with source.units.begin(tenant) as uow:
        await uow.execute(ADD, {"tenant": tenant, "kind": "a"})
        transaction = uow._transaction
        driver, commit = transaction._driver, transaction._send

        async def commit_and_be_cancelled(command: str) -> str:
            await commit(command)
            raise asyncio.CancelledError

        monkeypatch.setattr(transaction, "_send", commit_and_be_cancelled)
        with pytest.raises(asyncio.CancelledError):
            await uow.commit()
    assert driver.is_closed()
    async with source.units.begin(tenant) as uow:
        assert len(await uow.rows(COUNTERS, {"tenant": tenant})) == 1


async def test_what_cannot_be_undone_in_time_is_undone_by_the_end_of_the_connection(
    source, tenant, monkeypatch
):
    monkeypatch.setattr("shared.db.connections._END_WITHIN_SECONDS", 0)
    async with source.units.begin(tenant) as uow:
        await uow.execute(ADD, {"tenant": tenant, "kind": "a"})
        driver = uow._transaction._driver
    assert driver.is_closed()
    async with source.units.begin(tenant) as uow:
        assert await uow.rows(COUNTERS, {"tenant": tenant}) == []


async def test_codes_are_not_waited_for_without_end(source, tenant, monkeypatch):
    """Who asks for them may hold what others wait for."""
    monkeypatch.setattr("shared.db.codes.POOL_PATIENCE_SECONDS", 0.2)
    codes = CodeAllocator(source.units)
    await codes.take(tenant, "kept", 4)
    async with source.units.begin(tenant) as uow:
        lock = text("SELECT 1 FROM source.code_counter WHERE tenant_id = :tenant FOR UPDATE")
        await uow.rows(lock, {"tenant": tenant})
        with pytest.raises(Unavailable):
            await codes.take(tenant, "kept")
    assert await codes.take(tenant, "kept")
