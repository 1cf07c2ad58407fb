"""Units of work that only read: the server holds them to it, and nobody waits for their end."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId, new_id
from shared.part.context import PartContext, build_context
from tests.shared.test_unit_of_work import ADD, ALL_COUNTERS, COUNTERS, EVENTS, ThingHappened
from tests.support.parts import part_settings
from tests.support.waiting import eventually

WHO = text("SELECT pg_backend_pid()")


@pytest.fixture
async def alone(
    source: PartContext, database_url: str, redis_url: str, root_key: str
) -> AsyncIterator[PartContext]:
    """The same part with connections of its own."""
    context = build_context(
        part_settings("source", root_key=root_key, database_url=database_url, redis_url=redis_url)
    )
    yield context
    await context.close()


async def read(context: PartContext, tenant: TenantId) -> int:
    """Read something; the process of the server that answered."""
    async with context.units.begin(tenant, reads_only=True) as uow:
        [pid] = await uow.scalars(WHO)
        await uow.commit()
    return int(pid)


async def state_of(uow: UnitOfWork, pid: int) -> str:
    asked = text("SELECT state FROM pg_stat_activity WHERE pid = :pid")
    return str(await uow.scalar(asked, {"pid": pid}))


async def test_nothing_can_be_written(source, tenant):
    async with source.units.begin(tenant, reads_only=True) as uow:
        with pytest.raises(DBAPIError, match="read-only transaction"):
            await uow.execute(ADD, {"tenant": tenant, "kind": "a"})
    async with source.units.begin(tenant) as uow:
        assert await uow.rows(COUNTERS, {"tenant": tenant}) == []


async def test_what_there_is_to_tell_of_reading_is_written(source, tenant):
    async with source.units.begin(tenant, reads_only=True) as uow:
        await uow.rows(COUNTERS, {"tenant": tenant})
        uow.append(ThingHappened(what="read"), key=new_id())
        await uow.commit()
    async with source.units.begin(tenant) as uow:
        assert len(await uow.rows(EVENTS, {"tenant": tenant})) == 1


async def test_the_next_on_the_connection_sees_its_own_shop_and_may_write(alone, tenant):
    first = await read(alone, tenant)
    other = TenantId(new_id())
    async with alone.units.begin(other) as uow:
        assert await uow.scalars(WHO) == [first]
        await uow.execute(ADD, {"tenant": other, "kind": "theirs"})
        assert await uow.scalar(ALL_COUNTERS) == 1
        await uow.commit()
    assert await read(alone, tenant) == first
    async with alone.units.begin(tenant, reads_only=True) as uow:
        assert await uow.scalar(ALL_COUNTERS) == 0


async def test_its_end_is_told_to_the_server_soon(alone, source, tenant):
    pid = await read(alone, tenant)

    async def state() -> str:
        async with source.units.begin(tenant) as uow:
            return await state_of(uow, pid)

    await eventually(state, lambda found: found == "idle")
    assert alone.units.pool_usage().in_use == 0
    assert await read(alone, tenant) == pid


async def test_a_question_about_no_shop_is_asked_outside_of_it(alone, tenant):
    await read(alone, tenant)
    assert await alone.units.ask("SHOW transaction_read_only") == ["off"]


async def test_one_that_failed_is_rolled_back_at_once(alone, source, tenant):
    async with source.units.begin(tenant) as other:
        async with alone.units.begin(tenant, reads_only=True) as uow:
            [pid] = await uow.scalars(WHO)
            with pytest.raises(DBAPIError):
                await uow.rows(text("SELECT 1 / 0"))
        assert await state_of(other, pid) == "idle"


async def test_many_at_once_leave_no_transaction_behind(alone, source, tenant):
    pids = await asyncio.gather(*(read(alone, tenant) for _ in range(40)))

    async def busy() -> int:
        async with source.units.begin(tenant) as uow:
            asked = text(
                "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(:pids) AND state <> 'idle'"
            )
            return int(await uow.scalar(asked, {"pids": sorted(set(pids))}))

    await eventually(busy, lambda count: count == 0)
    usage = alone.units.pool_usage()
    assert (usage.in_use, usage.waiting) == (0, 0)


async def test_what_is_told_of_reading_is_told_over_the_same_connection(narrow, tenant):
    """Also when somebody waits for one: it is given away when all is written, and not before."""
    done = asyncio.Event()
    commands: list[str] = []

    async def hold() -> None:
        async with narrow.units.begin(tenant) as uow:
            await uow.rows(COUNTERS, {"tenant": tenant})
            await done.wait()

    async def somebody_waits() -> bool:
        usage = narrow.units.pool_usage()
        return (usage.in_use, usage.waiting) == (2, 1)

    async with narrow.units.begin(tenant, reads_only=True) as uow:
        await uow.rows(COUNTERS, {"tenant": tenant})
        others = [asyncio.create_task(hold()) for _ in range(2)]
        await eventually(somebody_waits)
        uow._transaction._driver.add_query_logger(lambda said: commands.append(said.query))
        uow.append(ThingHappened(what="read"), key=new_id())
        await uow.commit()
    done.set()
    await asyncio.gather(*others)
    assert commands[0].startswith("ROLLBACK; BEGIN; ")
    async with narrow.units.begin(tenant) as uow:
        assert len(await uow.rows(EVENTS, {"tenant": tenant})) == 1


async def test_nothing_is_left_when_it_is_closed(source, tenant, database_url, redis_url, root_key):
    settings = part_settings(
        "source", root_key=root_key, database_url=database_url, redis_url=redis_url
    )
    for pause in (0, 0.004, 0.006):
        context = build_context(settings)
        pids = await asyncio.gather(*(read(context, tenant) for _ in range(12)))
        await asyncio.sleep(pause)
        await context.close()

        async def left(pids: list[int] = pids) -> int:
            async with source.units.begin(tenant) as uow:
                asked = text("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(:pids)")
                return int(await uow.scalar(asked, {"pids": sorted(set(pids))}))

        await eventually(left, lambda count: count == 0)
