"""What each end of a stream does about trouble, on a real database."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import event, text

from shared.clock import SystemClock
from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId, new_id
from shared.part.context import PartContext
from shared.stream.consumer import MAX_ATTEMPTS, Consumer
from shared.stream.consumer_repository import ConsumerRepository, Cursor
from shared.stream.envelope import Batch, Envelope, StreamId
from shared.stream.protocol import MAX_BATCH_EVENTS, WINDOW
from shared.stream.relay import Relay
from shared.stream.source_repository import SourceRepository
from tests.shared.test_stream import Happened, tell

FAR = text(
    "UPDATE source.subscription SET sent_at = sent_at - make_interval(secs => 100) "
    "WHERE tenant_id = :tenant AND consumer = 'far'"
)
PROGRESS = text("SELECT consumer, acked, sent FROM source.subscription WHERE tenant_id = :tenant")
ADD = text("INSERT INTO sink.code_counter VALUES (:tenant, :kind, 1)")
COUNTERS = text("SELECT kind FROM sink.code_counter WHERE tenant_id = :tenant")


def relay_to(source: PartContext[Any], *consumers: str) -> Relay:
    subscriptions = dict.fromkeys(consumers, frozenset({Happened.type}))
    return Relay(units=source.units, queue=source.queue, subscriptions=subscriptions)


async def progress_of(source: PartContext[Any], tenant: TenantId) -> dict[str, tuple[int, int]]:
    async with source.units.begin(tenant) as uow:
        rows = await uow.rows(PROGRESS, {"tenant": tenant})
    return {row.consumer: (row.acked, row.sent) for row in rows}


def batch_of(tenant: TenantId, first: int, *numbers: int) -> Batch:
    events = [
        Envelope(
            tenant_id=tenant,
            source="source",
            position=first + offset,
            id=new_id(),
            key=new_id(),
            type=Happened.type,
            occurred_at=SystemClock().now(),
            data={"number": number},
            context={},
        )
        for offset, number in enumerate(numbers)
    ]
    return Batch(StreamId(tenant, "source"), first, first + len(numbers) - 1, events)


async def cursor_of(sink: PartContext[Any], tenant: TenantId) -> Cursor:
    async with sink.units.begin(tenant) as uow:
        repository = ConsumerRepository(sink.units.schema)
        return await repository.lock_cursor(uow, StreamId(tenant, "source"))


async def effects(sink: PartContext[Any], tenant: TenantId) -> set[str]:
    async with sink.units.begin(tenant) as uow:
        return set(await uow.scalars(COUNTERS, {"tenant": tenant}))


class Troubled:
    """A handler that fails its first so many times with an error that PostgreSQL raises."""

    def __init__(self, statement: str, *, times: int) -> None:
        self._statement = text(statement)
        self._left = times
        self.calls = 0

    async def __call__(self, uow: UnitOfWork, events: Sequence[Envelope]) -> None:
        self.calls += 1
        for envelope in events:
            kind = str(envelope.data["number"])
            await uow.execute(ADD, {"tenant": uow.tenant_id, "kind": kind})
        if self._left:
            self._left -= 1
            await uow.execute(self._statement)


def raising(state: str) -> str:
    return f"DO $$ BEGIN RAISE EXCEPTION 'on purpose' USING ERRCODE = '{state}'; END $$"


async def test_consumers_far_apart_are_not_read_together(source, tenant):
    relay = relay_to(source, "near", "far")
    await tell(source, tenant, *range(2 * MAX_BATCH_EVENTS))
    await relay.pump(tenant)
    last = 4 * MAX_BATCH_EVENTS
    await relay.acknowledge(tenant, "near", 0, last)
    async with source.units.begin(tenant) as uow:
        await uow.execute(FAR, {"tenant": tenant})
        await uow.commit()
    read: list[int] = []

    def note(_connection, cursor, statement, *_rest) -> None:
        if "BETWEEN" in statement:
            read.append(cursor.rowcount)

    await tell(source, tenant, 1)
    engine = source.units.engine.sync_engine
    event.listen(engine, "after_cursor_execute", note)
    try:
        await relay.pump(tenant)
    finally:
        event.remove(engine, "after_cursor_execute", note)
    assert read == [MAX_BATCH_EVENTS]
    assert await progress_of(source, tenant) == {
        "near": (last, last + 2),
        "far": (0, MAX_BATCH_EVENTS),
    }


async def test_an_acknowledgement_that_meets_new_events_sends_them(source, tenant):
    """Either of the two sees the other's work: else a full window would never open again."""
    relay = relay_to(source, "sink")
    await tell(source, tenant, *range(WINDOW // 2))
    await relay.pump(tenant)
    assert await progress_of(source, tenant) == {"sink": (0, WINDOW)}
    await tell(source, tenant, 1)
    repository = SourceRepository("source")
    stream = StreamId(tenant, "source")
    async with source.units.begin(tenant) as numbering:
        last = await repository.lock_stream(numbering, 0)
        await repository.number_unsent(numbering, stream, after=last, limit=10)
        acknowledging = asyncio.create_task(relay.acknowledge(tenant, "sink", 0, WINDOW))
        await asyncio.wait({acknowledging}, timeout=0.2)
        await numbering.commit()
    await acknowledging
    assert await progress_of(source, tenant) == {"sink": (WINDOW, WINDOW + 2)}


async def test_a_consumer_that_remembers_more_than_the_source_is_held_at_its_end(source, tenant):
    relay = relay_to(source, "sink")
    await tell(source, tenant, 1)
    await relay.pump(tenant)
    await relay.acknowledge(tenant, "sink", 0, 99)
    assert await progress_of(source, tenant) == {"sink": (2, 2)}
    await tell(source, tenant, 2)
    await relay.pump(tenant)
    assert await progress_of(source, tenant) == {"sink": (2, 4)}


async def test_a_sweep_goes_on_when_one_tenant_cannot_be_served(source, tenant):
    class Stubborn(Relay):
        async def pump(self, tenant_id: TenantId) -> None:
            if tenant_id == tenant:
                raise RuntimeError("not this one")
            await super().pump(tenant_id)

    # A listing is in the order of the ids, so this one comes after the tenant that fails.
    next_tenant = TenantId(new_id())
    relay = Stubborn(
        units=source.units,
        queue=source.queue,
        subscriptions={"sink": frozenset({Happened.type})},
    )
    await tell(source, tenant, 1)
    await tell(source, next_tenant, 1)
    await relay.sweep()
    assert await progress_of(source, tenant) == {}
    assert await progress_of(source, next_tenant) == {"sink": (0, 2)}


@pytest.mark.parametrize("state", ["40001", "40P01", "55P03"])
async def test_a_lost_conflict_is_run_again_at_once(sink, tenant, state):
    handler = Troubled(raising(state), times=2)
    consumer = Consumer(units=sink.units, queue=sink.queue, handlers=handler)
    await consumer.receive(batch_of(tenant, 1, 1, 2, 3))
    assert await effects(sink, tenant) == {"1", "2", "3"}
    assert await cursor_of(sink, tenant) == Cursor(3, None, 0)
    assert handler.calls == 3


@pytest.mark.parametrize(
    "statement",
    [
        raising("53300"),
        raising("57P01"),
        raising("08006"),
        "SELECT pg_terminate_backend(pg_backend_pid())",
    ],
)
async def test_an_outage_is_nobodys_fault(sink, tenant, statement):
    """A server that goes away must not use up an event's attempts."""
    handler = Troubled(statement, times=MAX_ATTEMPTS + 1)
    consumer = Consumer(units=sink.units, queue=sink.queue, handlers=handler)
    batch = batch_of(tenant, 1, 1)
    for _ in range(MAX_ATTEMPTS + 1):
        with pytest.raises(Exception):  # noqa: B017  (whatever the driver calls it)
            await consumer.receive(batch)
    assert await cursor_of(sink, tenant) == Cursor(0, None, 0)
    await consumer.receive(batch)
    assert await effects(sink, tenant) == {"1"}


async def test_an_event_at_fault_uses_up_its_attempts(sink, tenant):
    handler = Troubled(raising("22012"), times=2 * MAX_ATTEMPTS)
    consumer = Consumer(units=sink.units, queue=sink.queue, handlers=handler)
    for attempt in range(1, MAX_ATTEMPTS):
        await consumer.receive(batch_of(tenant, 1, 1))
        assert await cursor_of(sink, tenant) == Cursor(0, 1, attempt)
    await consumer.receive(batch_of(tenant, 1, 1))
    assert await cursor_of(sink, tenant) == Cursor(1, None, 0)
    assert await effects(sink, tenant) == set()


async def test_two_consumers_of_one_stream_apply_each_batch_once(sink, tenant):
    handler = Troubled("SELECT 1", times=0)
    consumers = [Consumer(units=sink.units, queue=sink.queue, handlers=handler) for _ in range(3)]
    batches = [batch_of(tenant, first, first, first + 1) for first in range(1, 21, 2)]
    for batch in batches:
        await asyncio.gather(*(consumer.receive(batch) for consumer in consumers))
    assert await effects(sink, tenant) == {str(number) for number in range(1, 21)}
    assert handler.calls == len(batches)


async def test_of_an_overlapping_batch_only_what_is_new_is_applied(sink, tenant):
    handler = Troubled("SELECT 1", times=0)
    consumer = Consumer(units=sink.units, queue=sink.queue, handlers=handler)
    await consumer.receive(batch_of(tenant, 1, 1, 2, 3, 4))
    await consumer.receive(batch_of(tenant, 3, 3, 4, 5, 6))
    assert await effects(sink, tenant) == {"1", "2", "3", "4", "5", "6"}
    assert handler.calls == 2


async def test_batches_out_of_order_wait_for_their_turn(sink, tenant):
    order: list[int] = []

    async def note(_uow: UnitOfWork, events: Sequence[Envelope]) -> None:
        order.extend(envelope.data["number"] for envelope in events)

    consumer = Consumer(units=sink.units, queue=sink.queue, handlers=note)
    for first in (5, 3, 7, 1, 3, 9):
        await consumer.receive(batch_of(tenant, first, first, first + 1))
    assert order == list(range(1, 11))
