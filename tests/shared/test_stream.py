"""The event stream between two real schemas over a real queue."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from shared.contracts.event import Event
from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId, new_id
from shared.part.context import PartContext
from shared.queue.worker import PartWorker, run_workers
from shared.stream.consumer import Consumer
from shared.stream.dead_letters import DeadLetters
from shared.stream.envelope import Envelope
from shared.stream.handlers import Apply, EventHandlers
from shared.stream.jobs import stream_jobs, stream_sweep
from shared.stream.relay import Relay
from tests.support.waiting import eventually

RECORD = text(
    "INSERT INTO sink.code_counter VALUES (:tenant, :kind, 1) ON CONFLICT (tenant_id, kind) "
    "DO UPDATE SET next_value = code_counter.next_value + 1"
)
RECORDED = text("SELECT kind, next_value FROM sink.code_counter WHERE tenant_id = :tenant")


class Happened(Event):
    type: ClassVar[str] = "source.happened"
    number: int


class Ignored(Event):
    type: ClassVar[str] = "source.ignored"


class Effects:
    """Counts in the sink's schema how often each number took effect; fails for chosen ones."""

    def __init__(self) -> None:
        self.poison: set[int] = set()
        self.order: defaultdict[TenantId, list[int]] = defaultdict(list)

    async def __call__(self, uow: UnitOfWork, events: Sequence[Envelope]) -> None:
        for event in events:
            number = event.read(Happened).number
            if number in self.poison:
                raise RuntimeError(f"cannot apply {number}")
            await uow.execute(RECORD, {"tenant": uow.tenant_id, "kind": str(number)})
            self.order[uow.tenant_id].append(number)


@asynccontextmanager
async def running(
    source: PartContext[Any],
    sink: PartContext[Any],
    effects: Apply,
    events: Sequence[type[Event]] = (Happened,),
):
    """Both workers in this process, `effects` being what the sink does with `events`."""
    handlers = EventHandlers().on(*events, apply=effects)
    relay = Relay(
        units=source.units,
        queue=source.queue,
        subscriptions={"sink": frozenset(event.type for event in events)},
    )
    source.units.announce_events_to(relay.announce)
    consumer = Consumer(units=sink.units, queue=sink.queue, handlers=handlers)
    idle = Relay(units=sink.units, queue=sink.queue, subscriptions={})
    nobody = Consumer(units=source.units, queue=source.queue, handlers=EventHandlers())
    stop = asyncio.Event()
    url = source.settings.redis_url
    workers = [
        PartWorker("source", url, 0.01, stream_jobs(relay, nobody), [stream_sweep(relay)]),
        PartWorker("sink", url, 0.01, stream_jobs(idle, consumer)),
    ]
    task = asyncio.create_task(run_workers(workers, stop))
    try:
        yield relay
    finally:
        stop.set()
        await task
        source.units.announce_events_to(tell_nobody)
        await relay.drain()


async def tell_nobody(_tenant: TenantId) -> None:
    """What an announcement is when no relay runs."""


async def tell(source: PartContext[Any], tenant, *numbers: int) -> None:
    async with source.units.begin(tenant) as uow:
        for number in numbers:
            uow.append(Happened(number=number), key=new_id())
            uow.append(Ignored(), key=new_id())
        await uow.commit()


async def recorded(sink: PartContext[Any], tenant) -> dict[int, int]:
    async with sink.units.begin(tenant) as uow:
        rows = await uow.rows(RECORDED, {"tenant": tenant})
    return {int(row.kind): row.next_value for row in rows}


async def test_every_event_takes_effect_once_and_in_order(source, sink, tenant):
    effects = Effects()
    async with running(source, sink, effects):
        for start in range(0, 1500, 150):
            await tell(source, tenant, *range(start, start + 150))
        await eventually(lambda: recorded(sink, tenant), lambda found: len(found) == 1500)
    assert set((await recorded(sink, tenant)).values()) == {1}
    assert effects.order[tenant] == list(range(1500))


async def test_a_poisoned_event_is_set_aside_and_the_rest_goes_on(source, sink, tenant):
    effects = Effects()
    effects.poison = {3}
    async with running(source, sink, effects) as relay:
        await tell(source, tenant, 1, 2, 3, 4)
        for _ in range(10):
            await resend_now(source, tenant)
            await relay.pump(tenant)
            await asyncio.sleep(0.05)
        await eventually(lambda: recorded(sink, tenant), lambda found: set(found) == {1, 2, 4})
        letters = DeadLetters(
            units=sink.units, handlers=EventHandlers().on(Happened, apply=effects)
        )
        [letter] = await letters.list_open(tenant)
        assert "cannot apply 3" in letter.error
        assert letter.attempts == 5
        with pytest.raises(RuntimeError, match="cannot apply 3"):
            await letters.replay(tenant, letter.id)
        assert await letters.list_open(tenant) == [letter]
        effects.poison = set()
        assert await letters.replay(tenant, letter.id)
        assert not await letters.replay(tenant, letter.id)
    assert await recorded(sink, tenant) == {1: 1, 2: 1, 3: 1, 4: 1}


async def test_flushing_redis_in_mid_stream_loses_nothing(source, sink, tenant):
    effects = Effects()
    async with running(source, sink, effects), Redis.from_url(source.settings.redis_url) as redis:
        for number in range(60):
            await tell(source, tenant, number)
            if number % 10 == 5:
                await redis.flushdb()
        await eventually(lambda: recorded(sink, tenant), lambda found: len(found) == 60, seconds=15)
    assert set((await recorded(sink, tenant)).values()) == {1}


async def resend_now(source: PartContext[Any], tenant) -> None:
    """Pretend that the resend time-out has passed."""
    async with source.units.begin(tenant) as uow:
        await uow.execute(
            text(
                "UPDATE source.subscription SET sent_at = sent_at - make_interval(secs => 100) "
                "WHERE tenant_id = :tenant AND acked < sent"
            ),
            {"tenant": tenant},
        )
        await uow.commit()
