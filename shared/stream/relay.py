"""The sending end of a part's streams; runs in the part's worker.

`pump` is the one entry: it numbers what was committed, then sends each consumer what its window
allows. It is called after commits, acknowledgements and sweeps, and any number of calls at any
time, in any number of processes, does no harm: the stream's row is locked while it works.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID
from weakref import WeakValueDictionary

import structlog

from shared.db.sweeps import for_each_tenant
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId
from shared.observability.metrics import EVENTS_RELAYED, STREAM_RESENDS
from shared.queue.producer import Queue
from shared.stream.envelope import Batch, CarriedT, EncodedEvent, OutgoingEvent, StreamId
from shared.stream.protocol import MAX_BATCH_BYTES, MAX_BATCH_EVENTS, Progress
from shared.stream.source_repository import SourceRepository

DELIVER = "stream.deliver"
RELAY = "stream.relay"
ACKNOWLEDGE = "stream.acknowledge"
_NUMBERED_AT_ONCE = 2000
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Sending:
    consumer: str
    positions: range
    resends: int


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
        self._turns: WeakValueDictionary[StreamId, asyncio.Lock] = WeakValueDictionary()

    async def announce(self, tenant_id: TenantId) -> None:
        """Pump soon, in the background (for commits of this very process)."""
        task = asyncio.create_task(self._announced(tenant_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self) -> None:
        """Wait until everything that was announced has been sent."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

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
        stream = StreamId(tenant_id, self._units.schema, split)
        # Whoever waits for the stream's row waits here, with no connection in its hands.
        async with self._turn(stream), self._units.begin(tenant_id) as uow:
            last = await self._repository.lock_stream(uow, split)
            sendings = await self._plan(uow, stream, last, heard={consumer: position})
            events = await self._load(uow, stream, sendings, fresh=())
            await uow.commit()
        await self._send(stream, sendings, events)

    async def sweep(self) -> None:
        """The net under lost wake-ups and lost batches: pump every tenant that has work."""
        unsent = await self._units.tenants("tenants_with_unsent_events")
        waiting = await self._units.tenants("tenants_with_unacknowledged_events")
        await for_each_tenant(dict.fromkeys([*unsent, *waiting]), self.pump, what="pump")

    def _turn(self, stream: StreamId) -> asyncio.Lock:
        turn = self._turns.get(stream)
        if turn is None:
            turn = self._turns[stream] = asyncio.Lock()
        return turn

    async def _announced(self, tenant_id: TenantId) -> None:
        try:
            await self.pump(tenant_id)
        except Exception as error:  # noqa: BLE001  (the sweep is the retry)
            _log.warning("pump_failed", tenant=tenant_id.hex, error=repr(error)[:300])

    async def _round(self, stream: StreamId) -> bool:
        async with self._turn(stream), self._units.begin(stream.tenant_id) as uow:
            last = await self._repository.lock_stream(uow, stream.split)
            fresh = await self._repository.number_unsent(
                uow, stream, after=last, limit=_NUMBERED_AT_ONCE
            )
            last += len(fresh)
            sendings = await self._plan(uow, stream, last, heard={})
            events = await self._load(uow, stream, sendings, fresh)
            await uow.commit()
        await self._send(stream, sendings, events)
        return len(fresh) == _NUMBERED_AT_ONCE

    async def _plan(
        self, uow: UnitOfWork, stream: StreamId, last: int, *, heard: Mapping[str, int]
    ) -> list[_Sending]:
        """Decide and write what each consumer gets. The stream's row is locked."""
        now = uow.clock.now()
        known = await self._repository.progress(uow, stream.split)
        sendings: list[_Sending] = []
        changed: dict[str, Progress] = {}
        for consumer in self._subscriptions:
            before = known.get(consumer, Progress(0, 0, 0, now))
            position = _plausible(heard.get(consumer, 0), last, consumer)
            progress, positions = before.acknowledged(position, now).step(last, now)
            if progress != before or consumer not in known:
                changed[consumer] = progress
            if positions:
                sendings.append(_Sending(consumer, positions, progress.resends))
        await self._repository.save_progress(uow, stream.split, changed)
        return sendings

    async def _load(
        self,
        uow: UnitOfWork,
        stream: StreamId,
        sendings: Sequence[_Sending],
        fresh: Sequence[OutgoingEvent],
    ) -> dict[int, OutgoingEvent]:
        """The events of all positions to send; those just numbered need no second reading.

        Each consumer's positions are read by themselves: one that was away for a day and one
        that is up to date may be a million events apart.
        """
        events = {event.position: event for event in fresh}
        for sending in sendings:
            missing = [position for position in sending.positions if position not in events]
            if missing:
                loaded = await self._repository.events(uow, stream, missing[0], missing[-1])
                events |= {event.position: event for event in loaded}
        return events

    async def _send(
        self, stream: StreamId, sendings: Sequence[_Sending], events: Mapping[int, OutgoingEvent]
    ) -> None:
        encoded = {position: EncodedEvent.of(event) for position, event in events.items()}
        for sending in sendings:
            wanted = self._subscriptions[sending.consumer]
            relayed = EVENTS_RELAYED.labels(stream.source, sending.consumer)
            if sending.resends:
                STREAM_RESENDS.labels(stream.source).inc()
            for batch in batches(stream, sending.positions, encoded, wanted):
                job_id = _resend_id(batch, sending) if sending.resends else None
                await self._queue.enqueue(sending.consumer, DELIVER, batch.dump(), job_id=job_id)
                relayed.inc(len(batch.events))


def batches(
    stream: StreamId,
    positions: range,
    events: Mapping[int, CarriedT],
    wanted: frozenset[str],
) -> list[Batch[CarriedT]]:
    """`positions` cut into batches of bounded count and size that cover them without a gap."""
    cut: list[Batch[CarriedT]] = []
    carried: list[CarriedT] = []
    first, size = positions.start, 0
    for position in positions:
        event = events.get(position)
        if event is None or event.type not in wanted:
            continue
        event_size = event.wire_size()
        if carried and (len(carried) >= MAX_BATCH_EVENTS or size + event_size > MAX_BATCH_BYTES):
            cut.append(Batch(stream, first, position - 1, carried))
            carried, first, size = [], position, 0
        carried.append(event)
        size += event_size
    cut.append(Batch(stream, first, positions.stop - 1, carried))
    return cut


def _resend_id(batch: Batch[EncodedEvent], sending: _Sending) -> str:
    """Names a repetition, so that the queue of a consumer that is away takes it only once.

    The count of resends, which stops growing, is part of the name: a worker that was killed with
    a batch in its hands blocks that job's id for a minute, and the next resend must get through.
    """
    stream = batch.stream
    place = f"{stream.source}:{stream.tenant_id.hex}:{stream.split}:{batch.first}-{batch.last}"
    return f"resend:{sending.consumer}:{place}:{sending.resends}"


def _plausible(position: int, last: int, consumer: str) -> int:
    """A consumer that has more than was ever sent remembers a source that lost its history."""
    if position > last:
        _log.error("consumer_ahead_of_source", consumer=consumer, position=position, last=last)
    return min(position, last)


def parse_tenant(text: str) -> TenantId:
    """A tenant id from a job's argument."""
    return TenantId(UUID(text))
