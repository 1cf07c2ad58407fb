"""Two parts with a stream between them, each runnable as a process that may be killed.

`python -m tests.support.stream_parts ROLE` with the settings as JSON in the environment. A writer
changes objects and tells of each change; the handler of the sink writes down, per object, which
changes took effect and in what order.
"""

import asyncio
import json
import os
import random
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar
from uuid import UUID, uuid5

from sqlalchemy import BigInteger, Column, Table, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import SQLAlchemyError

from shared.contracts.event import Event
from shared.db.failures import again_on_conflict
from shared.db.tables import part_metadata, tenant_column
from shared.db.unit_of_work import UnitOfWork
from shared.errors import CareloopError
from shared.ids import TenantId
from shared.part.context import PartContext, build_context
from shared.queue.producer import Queue, Waker
from shared.queue.worker import PartWorker, run_workers
from shared.stream.consumer import Consumer
from shared.stream.envelope import Envelope
from shared.stream.handlers import EventHandlers
from shared.stream.jobs import stream_jobs, stream_sweep
from shared.stream.relay import RELAY, Relay
from tests.support.parts import part_settings

SOURCE, SINK = "fault_source", "fault_sink"
CONFIGURATION = "CARELOOP_TEST_STREAM"
KEYS_PER_TENANT = 6
_WRITERS = 4

COUNTER = Table(
    "counter",
    part_metadata(SOURCE),
    tenant_column(),
    Column("key", Uuid, primary_key=True),
    Column("last", BigInteger, nullable=False),
)
EFFECT = Table(
    "effect",
    part_metadata(SINK),
    tenant_column(),
    Column("key", Uuid, primary_key=True),
    Column("numbers", ARRAY(BigInteger), nullable=False),
)
COUNT = text(
    f"INSERT INTO {SOURCE}.counter VALUES (:tenant, :key, 1) ON CONFLICT (tenant_id, key) "
    "DO UPDATE SET last = counter.last + 1 RETURNING last"
)
TAKE_EFFECT = text(
    f"INSERT INTO {SINK}.effect VALUES (:tenant, :key, :numbers) ON CONFLICT (tenant_id, key) "
    "DO UPDATE SET numbers = effect.numbers || excluded.numbers"
)


class Counted(Event):
    """The change number `number` of an object."""

    type: ClassVar[str] = "fault_source.counted"
    number: int


@dataclass(frozen=True)
class Configuration:
    """What a process needs to know."""

    database_url: str
    redis_url: str
    root_key: str
    tenants: tuple[str, ...]

    def environment(self) -> dict[str, str]:
        """The variables to start a process with."""
        return {**os.environ, CONFIGURATION: json.dumps(asdict(self))}

    def context(self, schema: str) -> PartContext[Any]:
        """The context of one of the two parts."""
        settings = part_settings(
            schema,
            root_key=self.root_key,
            database_url=self.database_url,
            redis_url=self.redis_url,
        )
        return build_context(settings)


def keys_of(tenant: TenantId) -> list[UUID]:
    """The objects of a tenant."""
    return [uuid5(tenant, str(number)) for number in range(KEYS_PER_TENANT)]


async def write(configuration: Configuration) -> None:
    """Change objects without end, several at a time and some of them in one unit of work."""
    context = configuration.context(SOURCE)
    waker = Waker(Queue(configuration.redis_url), part=SOURCE, function=RELAY)
    context.units.announce_events_to(waker.wake)
    tenants = [TenantId(UUID(tenant)) for tenant in configuration.tenants]

    async def change_some() -> None:
        tenant = random.choice(tenants)
        keys = random.sample(keys_of(tenant), k=random.randint(1, 3))
        async with context.units.begin(tenant) as uow:
            for key in keys:
                number = await uow.scalar(COUNT, {"tenant": tenant, "key": key})
                uow.append(Counted(number=number), key=key)
            await uow.commit()

    async def go_on() -> None:
        while True:
            try:
                await again_on_conflict(change_some)
            except (SQLAlchemyError, CareloopError):
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.002)

    await asyncio.gather(*(go_on() for _ in range(_WRITERS)))


async def take_effect(uow: UnitOfWork, events: Sequence[Envelope]) -> None:
    """Write down which changes arrived, in the order of their arrival."""
    numbers: defaultdict[UUID, list[int]] = defaultdict(list)
    for event in events:
        numbers[event.key].append(event.read(Counted).number)
    for key in sorted(numbers):
        parameters = {"tenant": uow.tenant_id, "key": key, "numbers": numbers[key]}
        await uow.execute(TAKE_EFFECT, parameters)


async def work(configuration: Configuration, schema: str) -> None:
    """Be the worker of one part until killed."""
    context = configuration.context(schema)
    handlers = EventHandlers()
    subscriptions = {}
    if schema == SOURCE:
        subscriptions = {SINK: frozenset({Counted.type})}
    else:
        handlers.on(Counted, apply=take_effect)
    relay = Relay(units=context.units, queue=context.queue, subscriptions=subscriptions)
    consumer = Consumer(units=context.units, queue=context.queue, handlers=handlers)
    worker = PartWorker(
        part=schema,
        redis_url=configuration.redis_url,
        poll_delay=0.01,
        jobs=stream_jobs(relay, consumer),
        periodics=[stream_sweep(relay)],
    )
    await run_workers([worker], asyncio.Event())


async def main(role: str) -> None:
    """Entry point of a process."""
    raw = json.loads(os.environ[CONFIGURATION])
    configuration = Configuration(**{**raw, "tenants": tuple(raw["tenants"])})
    if role in (SOURCE, SINK):
        await work(configuration, role)
    else:
        await write(configuration)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
