"""Units of work that only read: the server holds them to it, and nobody waits for their end."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

import pytest
from sqlalchemy import Integer, bindparam, select, text
from sqlalchemy.exc import DBAPIError

from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId, new_id
from shared.part.context import PartContext, build_context
from tests.shared.test_unit_of_work import ADD, ALL_COUNTERS, COUNTERS, EVENTS, ThingHappened
from tests.support.parts import part_settings
from tests.support.waiting import eventually

WHO = text("SELECT pg_backend_pid()")
SINCE = text("SELECT transaction_timestamp()")
PLANS = text("SHOW plan_cache_mode")
PREPARED = select(bindparam("by", type_=Integer).op("/")(bindparam("by", type_=Integer)))


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


async def since(context: PartContext, tenant: TenantId, *, reads_only: bool = True) -> datetime:
    """When the transaction began in which something is read."""
    async with context.units.begin(tenant, reads_only=reads_only) as uow:
        [began] = await uow.scalars(SINCE)
        await uow.commit()
    return began


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


async def test_reading_goes_on_in_the_transaction_of_the_same_shop(alone, source, tenant):
    """What was committed meanwhile is seen, and still nothing can be written."""

    async def goes_on(written: int) -> bool:
        async with source.units.begin(tenant) as other:
            await other.execute(ADD, {"tenant": tenant, "kind": f"{written}"})
            async with alone.units.begin(tenant, reads_only=True) as uow:
                [began] = await uow.scalars(SINCE)
                assert await uow.scalar(ALL_COUNTERS) == written
                await uow.commit()
            await other.commit()
        async with alone.units.begin(tenant, reads_only=True) as uow:
            assert await uow.scalar(ALL_COUNTERS) == written + 1
            found = await uow.scalars(SINCE)
            with pytest.raises(DBAPIError, match="read-only transaction"):
                await uow.execute(ADD, {"tenant": tenant, "kind": "a"})
        return bool(found == [began])

    for number in range(100):
        if await goes_on(number):
            return
        # It is left open for some milliseconds, which a busy machine may miss.
    pytest.fail("nobody has ever gone on in what was left")


async def test_nobody_else_goes_on_in_it(alone, tenant):
    began = await since(alone, tenant)
    theirs = await since(alone, TenantId(new_id()))
    assert theirs > began
    ours = await since(alone, tenant)
    assert ours > theirs
    assert await since(alone, tenant, reads_only=False) > ours


async def test_nobody_goes_on_in_one_that_failed(alone, tenant):
    """Also when whoever met the failure took no notice of it."""
    for statement, parameters in ((text("SELECT 1 / 0"), None), (PREPARED, {"by": 0})):
        async with alone.units.begin(tenant, reads_only=True) as uow:
            [began] = await uow.scalars(SINCE)
            assert await uow.scalar(PREPARED, {"by": 1}) == 1
            with pytest.raises(DBAPIError):
                await uow.rows(statement, parameters)
            await uow.commit()
        assert await since(alone, tenant) > began


async def test_nobody_goes_on_in_one_of_which_something_was_undone(alone, tenant):
    """What was set for the statements that follow is undone with it."""
    async with alone.units.begin(tenant, reads_only=True) as uow:
        [began] = await uow.scalars(SINCE)
        with pytest.raises(KeyError):
            await _plan_anew_and_fail(uow)
        assert await uow.scalar(PLANS) == "auto"
        await uow.plan_anew()
        assert await uow.scalar(PLANS) == "force_custom_plan"
        await uow.commit()
    assert await since(alone, tenant) > began


async def _plan_anew_and_fail(uow: UnitOfWork) -> None:
    async with uow.savepoint():
        await uow.plan_anew()
        raise KeyError


async def test_one_whose_connection_has_died_is_begun_again(alone, tenant):
    pid = await read(alone, tenant)
    [left] = alone.units._connections._idle
    left.driver.terminate()
    assert await read(alone, tenant) != pid


async def test_nobody_goes_on_in_one_that_was_broken_off(alone, tenant):
    async with alone.units.begin(tenant, reads_only=True) as uow:
        [began] = await uow.scalars(SINCE)
    assert await since(alone, tenant) > began


async def test_each_shop_goes_on_in_its_own(alone, tenant):
    """Many shops read at once over few connections: everybody sees their own rows alone."""
    shops = [tenant, *(TenantId(new_id()) for _ in range(4))]
    for number, shop in enumerate(shops):
        async with alone.units.begin(shop) as uow:
            for row in range(number):
                await uow.execute(ADD, {"tenant": shop, "kind": f"{row}"})
            await uow.commit()

    async def look(number: int) -> bool:
        async with alone.units.begin(shops[number], reads_only=True) as uow:
            seen = await uow.scalar(ALL_COUNTERS)
            await uow.commit()
        return bool(seen == number)

    for _ in range(10):
        assert all(await asyncio.gather(*(look(turn % 5) for turn in range(30))))


async def test_it_does_not_go_on_for_ever(alone, tenant):
    """Who alters a table has their turn, however much is read."""
    began = await since(alone, tenant)
    until = asyncio.get_running_loop().time() + 0.2
    while asyncio.get_running_loop().time() < until:
        last = await since(alone, tenant)
    assert last > began


async def test_plans_for_all_values_are_kept_apart_from_those_for_some(alone, tenant):
    async def plans(*, anew: bool, at_once: bool = True) -> str:
        async with alone.units.begin(tenant, reads_only=True) as uow:
            if anew and at_once:
                await uow.plan_anew()
            await uow.rows(WHO)
            if anew:
                await uow.plan_anew()
            found = await uow.scalar(PLANS)
            await uow.commit()
        return str(found)

    for _ in range(3):
        assert await plans(anew=True) == "force_custom_plan"
        assert await plans(anew=False) == "auto"
        assert await plans(anew=True, at_once=False) == "force_custom_plan"
        assert await plans(anew=False) == "auto"


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
    for pause in (0, 0.019, 0.021):
        context = build_context(settings)
        pids = await asyncio.gather(*(read(context, tenant) for _ in range(12)))
        await asyncio.sleep(pause)
        await context.close()

        async def left(pids: list[int] = pids) -> int:
            async with source.units.begin(tenant) as uow:
                asked = text("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(:pids)")
                return int(await uow.scalar(asked, {"pids": sorted(set(pids))}))

        await eventually(left, lambda count: count == 0)
