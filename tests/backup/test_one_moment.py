"""Snapshots of several databases fit together: no consumer is ahead of its source."""

import asyncio

from cli.backup.databases import Database, connect, databases, one_moment
from shared.ids import new_id
from tests.backup.conftest import MakePlace
from tests.support.waiting import eventually

CURSOR = """
    INSERT INTO customer.cursor (tenant_id, source, split, position, updated_at)
    VALUES ($1, 'gateway', 0, $2, now()) ON CONFLICT (tenant_id, source, split)
    DO UPDATE SET position = excluded.position
"""
STREAM = """
    INSERT INTO gateway.stream (tenant_id, split, last_position) VALUES ($1, 0, $2)
    ON CONFLICT (tenant_id, split) DO UPDATE SET last_position = excluded.last_position
"""
WAITING = """
    SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE NOT l.granted AND d.datname = current_database()
"""


async def seen(found: list[Database], tenant) -> tuple[int, int]:
    """Cursor and last position, as the snapshots have them."""
    at = {schema: each.connection for each in found for schema in each.schemas}
    cursor = "SELECT position FROM customer.cursor WHERE tenant_id = $1"
    last = "SELECT last_position FROM gateway.stream WHERE tenant_id = $1"
    return (
        await at["customer"].fetchval(cursor, tenant),
        await at["gateway"].fetchval(last, tenant),
    )


async def test_a_consumer_at_work_is_waited_for(make_place: MakePlace):
    place, tenant = await make_place(apart=["customer"]), new_id()
    source, consumer = await connect(place.urls["gateway"]), await connect(place.urls["customer"])
    observer = await connect(place.urls["customer"])
    await source.execute(STREAM, tenant, 5)
    batch = consumer.transaction()
    await batch.start()
    await consumer.execute(CURSOR, tenant, 5)

    taken, enough = asyncio.Event(), asyncio.Event()
    pairs = []

    async def take() -> None:
        async with databases(place.urls) as found, one_moment(found):
            pairs.append(await seen(found, tenant))
            taken.set()
            await enough.wait()
            pairs.append(await seen(found, tenant))

    taking = asyncio.create_task(take())
    await eventually(lambda: observer.fetchval(WAITING))
    assert not taken.is_set()
    # The source goes on meanwhile; the consumer comes to its end.
    await source.execute(STREAM, tenant, 7)
    await batch.commit()
    await taken.wait()
    # Nobody is held up any longer, and the snapshots stand still.
    await consumer.execute(CURSOR, tenant, 7)
    enough.set()
    await taking
    assert pairs == [(5, 7), (5, 7)]
    for connection in (source, consumer, observer):
        await connection.close()


async def test_one_database_needs_no_barrier(make_place: MakePlace):
    place, tenant = await make_place(), new_id()
    consumer = await connect(place.urls["customer"])
    async with consumer.transaction():
        await consumer.execute(CURSOR, tenant, 5)
        async with databases(place.urls) as found, one_moment(found):
            assert await seen(found, tenant) == (None, None)
    await consumer.close()
