"""The receiving end: applies each batch once, in order, and sets aside what cannot be applied."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

import structlog

from shared.audit.trail import Actor
from shared.db.failures import again_on_conflict, is_conflict, is_outage
from shared.db.unit_of_work import UnitsOfWork
from shared.observability.metrics import DEAD_LETTERS, EVENTS_APPLIED, STREAM_LAG
from shared.observability.request_ids import working_for
from shared.queue.producer import Queue
from shared.stream.consumer_repository import ConsumerRepository
from shared.stream.envelope import Batch, Envelope, StreamId
from shared.stream.handlers import Applies
from shared.stream.protocol import Parking, Verdict, judge
from shared.stream.relay import ACKNOWLEDGE
from shared.stream.traces import apply_traced

MAX_ATTEMPTS = 5
_log = structlog.get_logger(__name__)


class Consumer:
    """Applies the streams of other parts to this part's schema."""

    def __init__(self, *, units: UnitsOfWork, queue: Queue, handlers: Applies) -> None:
        self._units = units
        self._queue = queue
        self._handlers = handlers
        self._repository = ConsumerRepository(units.schema)
        # Batches of one stream that this process already holds are taken one after the other;
        # between processes the cursor's row lock does the same.
        self._turns: defaultdict[StreamId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._parking: defaultdict[StreamId, Parking[Batch[Envelope]]] = defaultdict(Parking)

    async def receive(self, batch: Batch[Envelope]) -> None:
        """Apply what is new in a batch, and what waited for it; tell the source how far it is."""
        stream = batch.stream
        async with self._turns[stream]:
            verdict, position = await self._take(batch)
            if verdict is Verdict.GAP:
                self._parking[stream].park(batch)
                return
            while following := self._parking[stream].following(position):
                _, position = await self._take(following)
            if not self._parking[stream]:
                del self._parking[stream]
        await self._acknowledge(stream, position)

    async def _take(self, batch: Batch[Envelope]) -> tuple[Verdict, int]:
        try:
            return await again_on_conflict(lambda: self._apply(batch))
        except Exception as error:
            if _is_transient(error):
                raise
            _log.warning("batch_failed", source=batch.stream.source, error=repr(error)[:300])
            return await self._apply_one_by_one(batch)

    async def _apply(self, batch: Batch[Envelope]) -> tuple[Verdict, int]:
        stream = batch.stream
        async with self._units.begin(stream.tenant_id) as uow:
            cursor = await self._repository.lock_cursor(uow, stream)
            verdict = judge(cursor.position, batch.first, batch.last)
            if verdict is not Verdict.APPLY:
                return verdict, cursor.position
            uow.act_for(Actor("system", stream.source, "stream.apply"))
            fresh = [event for event in batch.events if event.position > cursor.position]
            if fresh:
                with working_for(event.context for event in fresh):
                    await apply_traced(self._handlers, uow, fresh, consumer=self._units.schema)
            await self._repository.move_cursor(uow, stream, batch.last)
            await uow.commit()
        self._measure(stream, fresh)
        return verdict, batch.last

    async def _apply_one_by_one(self, batch: Batch[Envelope]) -> tuple[Verdict, int]:
        """Find the event at fault: the others are applied, it is tried again or set aside."""
        async with self._units.begin(batch.stream.tenant_id) as uow:
            position = (await self._repository.lock_cursor(uow, batch.stream)).position
        if judge(position, batch.first, batch.last) is Verdict.GAP:
            return Verdict.GAP, position
        for event in batch.events:
            if event.position <= position:
                continue
            single = Batch(batch.stream, position + 1, event.position, [event])
            try:
                verdict, position = await self._apply(single)
            except Exception as error:
                if _is_transient(error):
                    raise
                if not await self._give_up(batch.stream, event, error):
                    return Verdict.APPLY, position
                verdict, position = Verdict.APPLY, event.position
            if verdict is Verdict.GAP:
                return verdict, position
            position = max(position, event.position)
        rest: Batch[Envelope] = Batch(batch.stream, position + 1, batch.last, [])
        return await self._apply(rest)

    async def _give_up(self, stream: StreamId, event: Envelope, error: Exception) -> bool:
        """Count a failed try; after the last one write a dead letter and move on."""
        async with self._units.begin(stream.tenant_id) as uow:
            cursor = await self._repository.lock_cursor(uow, stream)
            if cursor.position >= event.position:
                return True
            failed_before = cursor.attempts if cursor.failing_position == event.position else 0
            attempts = failed_before + 1
            exhausted = attempts >= MAX_ATTEMPTS
            if exhausted:
                await self._repository.add_dead_letter(uow, stream, event, error, attempts)
                await self._repository.move_cursor(uow, stream, event.position)
            else:
                await self._repository.count_attempt(uow, stream, event.position, attempts)
            await uow.commit()
        if exhausted:
            DEAD_LETTERS.labels(self._units.schema, stream.source).inc()
            with working_for([event.context]):
                _log.error(
                    "event_set_aside", source=stream.source, type=event.type, event_id=event.id.hex
                )
        return exhausted

    async def _acknowledge(self, stream: StreamId, position: int) -> None:
        await self._queue.enqueue(
            stream.source,
            ACKNOWLEDGE,
            stream.tenant_id.hex,
            self._units.schema,
            str(stream.split),
            str(position),
        )

    def _measure(self, stream: StreamId, applied: Sequence[Envelope]) -> None:
        if applied:
            consumer = self._units.schema
            EVENTS_APPLIED.labels(consumer, stream.source).inc(len(applied))
            age = self._units.clock.now() - applied[-1].occurred_at
            STREAM_LAG.labels(consumer, stream.source).set(age.total_seconds())


def _is_transient(error: Exception) -> bool:
    """Whether the same batch may succeed by itself later: locks, lost connections, restarts."""
    return is_conflict(error) or is_outage(error)
