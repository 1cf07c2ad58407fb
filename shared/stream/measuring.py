"""What a part's worker tells of backlogs: its streams, its queue, what was set aside.

Several workers of one part tell the same; whoever adds them up must take the greatest.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from redis.exceptions import RedisError
from sqlalchemy import text

from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId
from shared.observability.metrics import (
    DEAD_LETTERS_OPEN,
    MEASURED_AT,
    OUTBOX_OLDEST,
    QUEUE_JOBS,
    QUEUE_OLDEST,
    REDIS_UP,
    STREAM_BACKLOG,
    STREAM_SILENCE,
)
from shared.queue.producer import Queue
from shared.queue.worker import Periodic

MEASURE_SECONDS: Final = 10.0
# More tenants than this with a backlog are trouble enough to know of; the rest is not looked at.
_MOST_TENANTS: Final = 500


class Backlogs:
    """Measures the backlogs of one part."""

    def __init__(
        self, *, units: UnitsOfWork, queue: Queue, subscriptions: Mapping[str, frozenset[str]]
    ) -> None:
        self._units = units
        self._queue = queue
        self._consumers = tuple(subscriptions)
        schema = units.schema
        self._oldest_unsent = text(
            f"""
            SELECT min(recorded_at) FROM {schema}.outbox
            WHERE tenant_id = :tenant AND position IS NULL
            """
        )
        self._behind = text(
            f"""
            SELECT b.consumer, s.last_position - b.acked AS events, b.sent_at
            FROM {schema}.subscription b JOIN {schema}.stream s
              ON s.tenant_id = b.tenant_id AND s.split = b.split
            WHERE b.tenant_id = :tenant AND s.tenant_id = :tenant AND b.acked < s.last_position
            """
        )
        self._open_letters = text(
            f"""
            SELECT count(*) FROM {schema}.dead_letter
            WHERE tenant_id = :tenant AND replayed_at IS NULL
            """
        )

    def periodic(self) -> Periodic:
        """The sweep that measures."""
        return Periodic("backlogs.measure", MEASURE_SECONDS, self.measure)

    async def measure(self) -> None:
        """Look at everything once."""
        await self._measure_queue()
        now = self._units.clock.now()
        await self._measure_outbox(now)
        await self._measure_consumers(now)
        await self._measure_letters()
        MEASURED_AT.labels(self._units.schema).set(now.timestamp())

    async def _measure_queue(self) -> None:
        part = self._units.schema
        try:
            depth = await self._queue.depth(part, now=self._units.clock.now())
        except (RedisError, OSError):
            REDIS_UP.labels(part).set(0)
            return
        REDIS_UP.labels(part).set(1)
        QUEUE_JOBS.labels(part).set(depth.jobs)
        QUEUE_OLDEST.labels(part).set(depth.oldest_seconds)

    async def _measure_outbox(self, now: datetime) -> None:
        oldest = 0.0
        for tenant_id in await self._tenants("tenants_with_unsent_events"):
            async with self._units.begin(tenant_id) as uow:
                since = await uow.scalar(self._oldest_unsent, {"tenant": tenant_id})
            oldest = max(oldest, (now - since).total_seconds() if since else 0)
        OUTBOX_OLDEST.labels(self._units.schema).set(oldest)

    async def _measure_consumers(self, now: datetime) -> None:
        events: defaultdict[str, int] = defaultdict(int)
        silence: defaultdict[str, float] = defaultdict(float)
        for tenant_id in await self._tenants("tenants_with_unacknowledged_events"):
            async with self._units.begin(tenant_id) as uow:
                behind = await uow.rows(self._behind, {"tenant": tenant_id})
            for row in behind:
                events[row.consumer] += row.events
                quiet = (now - row.sent_at).total_seconds()
                silence[row.consumer] = max(silence[row.consumer], quiet)
        for consumer in self._consumers:
            STREAM_BACKLOG.labels(self._units.schema, consumer).set(events[consumer])
            STREAM_SILENCE.labels(self._units.schema, consumer).set(silence[consumer])

    async def _measure_letters(self) -> None:
        count = 0
        for tenant_id in await self._tenants("tenants_with_dead_letters"):
            async with self._units.begin(tenant_id) as uow:
                count += await uow.scalar(self._open_letters, {"tenant": tenant_id})
        DEAD_LETTERS_OPEN.labels(self._units.schema).set(count)

    async def _tenants(self, listing: str) -> list[TenantId]:
        return (await self._units.tenants(listing))[:_MOST_TENANTS]
