"""What a worker tells of its backlogs is what there is."""

from datetime import timedelta
from typing import Any, ClassVar

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from shared.contracts.event import Event
from shared.ids import TenantId, new_id
from shared.part.context import PartContext, build_context
from shared.queue.producer import Queue
from shared.stream.measuring import Backlogs
from shared.stream.relay import Relay
from tests.support.parts import create_part, part_settings

PART = "measured"
SUBSCRIPTIONS = {"listener": frozenset({"measured.happened"})}
SET_ASIDE = text(
    f"INSERT INTO {PART}.dead_letter (tenant_id, id, source, split, position, type, event, error, "
    "attempts, created_at) VALUES (:tenant, :id, 'x', 0, 1, 'x.y', '{}', 'no', 5, now())"
)


class Happened(Event):
    type: ClassVar[str] = "measured.happened"


@pytest.fixture(scope="module")
async def part(database_url: str, redis_url: str, root_key: str):
    await create_part(database_url, PART, root_key=root_key)
    settings = part_settings(
        PART, root_key=root_key, database_url=database_url, redis_url=redis_url
    )
    context = build_context(settings)
    yield context
    await context.close()


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


async def measure(part: PartContext[Any], queue: Queue | None = None) -> None:
    backlogs = Backlogs(units=part.units, queue=queue or part.queue, subscriptions=SUBSCRIPTIONS)
    await backlogs.measure()


async def test_events_wait_first_for_their_place_and_then_for_their_consumer(
    part: PartContext[Any], tenant: TenantId
):
    relay = Relay(units=part.units, queue=part.queue, subscriptions=SUBSCRIPTIONS)
    stream = {"source": PART, "consumer": "listener"}
    async with part.units.begin(tenant) as uow:
        for _ in range(3):
            uow.append(Happened(), key=new_id())
        await uow.commit()
    async with part.units.begin(tenant) as uow:
        await uow.execute(
            text(f"UPDATE {PART}.outbox SET recorded_at = :then WHERE tenant_id = :tenant"),
            {"tenant": tenant, "then": part.clock.now() - timedelta(minutes=5)},
        )
        await uow.commit()
    await measure(part)
    assert value("careloop_outbox_oldest_seconds", part=PART) == pytest.approx(300, abs=30)
    assert value("careloop_stream_backlog_events", **stream) == 0
    await relay.pump(tenant)
    await measure(part)
    assert value("careloop_outbox_oldest_seconds", part=PART) == 0
    assert value("careloop_stream_backlog_events", **stream) == 3
    assert value("careloop_stream_silence_seconds", **stream) < 30
    await relay.acknowledge(tenant, "listener", 0, 3)
    await measure(part)
    assert value("careloop_stream_backlog_events", **stream) == 0
    assert value("careloop_stream_silence_seconds", **stream) == 0


async def test_what_is_set_aside_is_counted_until_it_is_replayed(
    part: PartContext[Any], tenant: TenantId
):
    letter = {"tenant": tenant, "id": new_id()}
    async with part.units.begin(tenant) as uow:
        await uow.execute(SET_ASIDE, letter)
        await uow.commit()
    await measure(part)
    assert value("careloop_dead_letters_open", consumer=PART) == 1
    async with part.units.begin(tenant) as uow:
        replayed = f"UPDATE {PART}.dead_letter SET replayed_at = now() WHERE tenant_id = :tenant"
        await uow.execute(text(replayed), {"tenant": tenant})
        await uow.commit()
    await measure(part)
    assert value("careloop_dead_letters_open", consumer=PART) == 0


async def test_the_queue_is_looked_at_and_may_be_away(part: PartContext[Any]):
    await part.queue.enqueue(PART, "nothing")
    await measure(part)
    assert value("careloop_redis_up", part=PART) == 1
    assert value("careloop_queue_jobs", part=PART) == 1
    assert value("careloop_queue_oldest_job_seconds", part=PART) < 30
    absent = Queue("redis://127.0.0.1:1/0")
    await measure(part, absent)
    assert value("careloop_redis_up", part=PART) == 0
    assert value("careloop_measured_timestamp_seconds", part=PART) == pytest.approx(
        part.clock.now().timestamp(), abs=30
    )


async def test_the_pool_says_who_holds_its_connections(part: PartContext[Any], tenant: TenantId):
    def in_use() -> float | None:
        return value("careloop_db_pool_in_use", part=PART)

    assert in_use() == 0
    async with part.units.begin(tenant) as uow:
        await uow.execute(text("SELECT 1"))
        assert in_use() == 1
    assert in_use() == 0
    assert value("careloop_db_pool_idle", part=PART) >= 1
    assert value("careloop_db_pool_limit", part=PART) >= part.settings.pool_size
    assert value("careloop_db_pool_waiting", part=PART) == 0
