"""One id leads from a client's answer through everything that follows from its request."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from sqlalchemy import text

from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId, new_id
from shared.jobs.repository import JobRepository
from shared.jobs.runner import JobRunner
from shared.jobs.work import Done, HeldJob, JobKind, JobKinds, Step
from shared.observability.request_ids import current_request_id
from shared.part.context import PartContext, build_context
from shared.stream.consumer import Consumer
from shared.stream.envelope import Batch, Envelope, StreamId
from shared.stream.handlers import EventHandlers
from tests.support.edge_part import EDGE
from tests.support.parts import create_part, part_settings
from tests.support.stream_parts import Counted

PART = "request_ids"


@pytest.fixture(scope="session")
async def context(
    database_url: str, redis_url: str, root_key: str
) -> AsyncIterator[PartContext[Any]]:
    await create_part(database_url, PART, root_key=root_key)
    settings = part_settings(
        PART, root_key=root_key, database_url=database_url, redis_url=redis_url
    )
    context = build_context(settings)
    yield context
    await context.close()


async def contexts(context: PartContext[Any], tenant: TenantId) -> list[dict[str, str]]:
    """What the events that a tenant's work appended came with."""
    async with context.units.begin(tenant) as uow:
        rows = await uow.rows(
            text(f"SELECT context FROM {PART}.outbox WHERE tenant_id = :t AND type = :type"),
            {"t": tenant, "type": Counted.type},
        )
    return [row.context for row in rows]


def append(uow: UnitOfWork) -> None:
    uow.append(Counted(number=1), key=new_id())


async def test_an_event_says_which_request_it_follows_from(
    context: PartContext[Any], tenant: TenantId
) -> None:
    async with context.units.begin(tenant) as uow:
        append(uow)
        with structlog.contextvars.bound_contextvars(request_id="from-outside"):
            append(uow)
        await uow.commit()
    assert sorted(await contexts(context, tenant), key=len) == [{}, {"request_id": "from-outside"}]


def batch_of(tenant: TenantId, *carried: dict[str, str]) -> Batch[Envelope]:
    stream = StreamId(tenant, EDGE)
    events = [
        Envelope(
            tenant_id=tenant,
            source=EDGE,
            position=position,
            id=new_id(),
            key=new_id(),
            type=Counted.type,
            occurred_at=datetime.now(UTC),
            data={"number": position},
            context=carried_context,
        )
        for position, carried_context in enumerate(carried, 1)
    ]
    return Batch(stream, 1, len(events), events)


@pytest.mark.parametrize(
    ("carried", "worked_for"),
    [
        ([{"request_id": "a"}], "a"),
        ([{"request_id": "a"}, {"request_id": "a"}], "a"),
        ([{"request_id": "a"}, {"request_id": "b"}], None),
        ([{"request_id": "a"}, {}], None),
        ([{}], None),
    ],
)
async def test_what_a_consumer_does_is_done_for_the_same_request(
    context: PartContext[Any],
    tenant: TenantId,
    carried: list[dict[str, str]],
    worked_for: str | None,
) -> None:
    seen: list[str | None] = []

    async def follow(uow: UnitOfWork, events: Sequence[Envelope]) -> None:
        seen.append(current_request_id())
        append(uow)

    handlers = EventHandlers()
    handlers.on(Counted, apply=follow)
    consumer = Consumer(units=context.units, queue=context.queue, handlers=handlers)
    await consumer.receive(batch_of(tenant, *carried))
    assert seen == [worked_for]
    assert await contexts(context, tenant) == [{"request_id": worked_for} if worked_for else {}]
    assert current_request_id() is None


class Telling(JobKind):
    """Appends an event and says for whom it works."""

    name = "telling"

    def __init__(self) -> None:
        self.worked_for: list[str | None] = []

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        self.worked_for.append(current_request_id())
        append(uow)
        return Done()


async def test_a_job_is_done_for_the_request_that_asked_for_it(
    context: PartContext[Any], tenant: TenantId
) -> None:
    async def wake(_tenant: TenantId) -> None: ...

    kind = Telling()
    runner = JobRunner(units=context.units, kinds=JobKinds([kind], wake=wake), wake=wake)
    for request_id in ("first", None, "third"):
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            async with context.units.begin(tenant) as uow:
                await JobRepository(uow, schema=PART).add(kind.name, detail={})
                await uow.commit()
    await runner.go_on(tenant.hex)
    assert kind.worked_for == ["first", None, "third"]
    named = [one.get("request_id") for one in await contexts(context, tenant)]
    assert sorted(named, key=str) == [None, "first", "third"]
    assert current_request_id() is None
