"""The sending end of a part's streams; runs in the part's worker.

`pump` is the one entry: it numbers what was committed, then sends each consumer what its window
allows. It is called after commits, acknowledgements and sweeps, and any number of calls at any
time, in any number of processes, does no harm: the stream's row is locked while it works.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId
from shared.observability.metrics import EVENTS_RELAYED, STREAM_RESENDS
from shared.queue.producer import Queue
from shared.stream.envelope import Batch, Envelope, StreamId
from shared.stream.protocol import MAX_BATCH_BYTES, MAX_BATCH_EVENTS, Progress
from shared.stream.source_repository import SourceRepository

DELIVER = "stream.deliver"
RELAY = "stream.relay"
ACKNOWLEDGE = "stream.acknowledge"
_NUMBERED_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class _Sending:
    consumer: str
    positions: range


class Relay:
    """Carries one part's events to its subscribers."""

    def __init__(
        self,
        *,
        units: UnitsOfWork,
        queue: Queue,
        subscriptions: Mapping[str, frozenset[str]],
    ) -> None:
        self._units = units
        self._queue = queue
        self._subscriptions = subscriptions
        self._repository = SourceRepository(units.schema)
        self._running: set[TenantId] = set()
        self._again: set[TenantId] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def announce(self, tenant_id: TenantId) -> None:
        """Pump soon, in the background (for commits of this very process)."""
        task = asyncio.create_task(self.pump(tenant_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def pump(self, tenant_id: TenantId) -> None:
        """Send what can be sent; calls during a running pump become one more round of it."""
        if tenant_id in self._running:
            self._again.add(tenant_id)
            return
        self._running.add(tenant_id)
        try:
            more = True
            while more:
                self._again.discard(tenant_id)
                more = await self._round(StreamId(tenant_id, self._units.schema))
                more = more or tenant_id in self._again
        finally:
            self._running.discard(tenant_id)

    async def acknowledge(
        self, tenant_id: TenantId, consumer: str, split: int, position: int
    ) -> None:
        """A consumer tells how far it is, which opens its window again."""
        async with self._units.begin(tenant_id) as uow:
            waiting = await self._repository.acknowledge(
                uow, split=split, consumer=consumer, position=position
            )
            await uow.commit()
        if waiting:
            await self.pump(tenant_id)

    async def sweep(self) -> None:
        """The net under lost wake-ups and lost batches: pump every tenant that has work."""
        unsent = await self._units.tenants("tenants_with_unsent_events")
        waiting = await self._units.tenants("tenants_with_unacknowledged_events")
        for tenant_id in dict.fromkeys([*unsent, *waiting]):
            await self.pump(tenant_id)

    async def _round(self, stream: StreamId) -> bool:
        async with self._units.begin(stream.tenant_id) as uow:
            last = await self._repository.lock_stream(uow, stream.split)
            fresh = await self._repository.number_unsent(
                uow, stream, after=last, limit=_NUMBERED_AT_ONCE
            )
            last += len(fresh)
            sendings = await self._plan(uow, stream, last)
            events = await self._load(uow, stream, sendings, fresh)
            await uow.commit()
        for sending in sendings:
            await self._send(stream, sending, events)
        return len(fresh) == _NUMBERED_AT_ONCE

    async def _plan(self, uow: UnitOfWork, stream: StreamId, last: int) -> list[_Sending]:
        now = uow.clock.now()
        known = await self._repository.progress(uow, stream.split)
        sendings: list[_Sending] = []
        changed: dict[str, Progress] = {}
        for consumer in self._subscriptions:
            before = known.get(consumer, Progress(0, 0, 0, now))
            progress = before
            if progress.silent(now):
                progress = progress.gone_back()
                STREAM_RESENDS.labels(stream.source).inc()
            positions = progress.sendable(last)
            progress = progress.after_sending(positions, now)
            if progress != before or consumer not in known:
                changed[consumer] = progress
            if positions:
                sendings.append(_Sending(consumer, positions))
        await self._repository.save_progress(uow, stream.split, changed)
        return sendings

    async def _load(
        self,
        uow: UnitOfWork,
        stream: StreamId,
        sendings: Sequence[_Sending],
        fresh: Sequence[Envelope],
    ) -> dict[int, Envelope]:
        """The events of all positions to send; those just numbered need no second reading."""
        events = {event.position: event for event in fresh}
        wanted = {position for sending in sendings for position in sending.positions}
        missing = wanted - events.keys()
        if missing:
            loaded = await self._repository.events(uow, stream, min(missing), max(missing))
            events |= {event.position: event for event in loaded}
        return events

    async def _send(
        self, stream: StreamId, sending: _Sending, events: Mapping[int, Envelope]
    ) -> None:
        wanted = self._subscriptions[sending.consumer]
        relevant = EVENTS_RELAYED.labels(stream.source, sending.consumer)
        for batch in batches(stream, sending.positions, events, wanted):
            await self._queue.enqueue(sending.consumer, DELIVER, batch.dump())
            relevant.inc(len(batch.events))


def batches(
    stream: StreamId,
    positions: range,
    events: Mapping[int, Envelope],
    wanted: frozenset[str],
) -> list[Batch]:
    """`positions` cut into batches of bounded count and size that cover them without a gap."""
    cut: list[Batch] = []
    carried: list[Envelope] = []
    first, size = positions.start, 0
    for position in positions:
        event = events.get(position)
        if event is None or event.type not in wanted:
            continue
        event_size = len(str(event.data))
        if carried and (len(carried) >= MAX_BATCH_EVENTS or size + event_size > MAX_BATCH_BYTES):
            cut.append(Batch(stream, first, position - 1, carried))
            carried, first, size = [], position, 0
        carried.append(event)
        size += event_size
    cut.append(Batch(stream, first, positions.stop - 1, carried))
    return cut


def parse_tenant(text: str) -> TenantId:
    """A tenant id from a job's argument."""
    return TenantId(UUID(text))
