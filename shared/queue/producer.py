"""The only door to arq (with `worker.py`): wakes workers, carries batches, keeps nothing.

Redis may forget everything at any moment; what matters lives in PostgreSQL and is found by sweeps.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import structlog
from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from shared.ids import TenantId

_log = structlog.get_logger(__name__)
_CONNECT_SECONDS = 2
# A Redis that is gone without a word is not waited for: another may be there under its name.
_ANSWER_SECONDS = 10
WAKE_SPACING_SECONDS = 0.02


def queue_name(part: str) -> str:
    """The arq queue of a part's worker."""
    return f"careloop:{part}"


def serialize_job(job: dict[str, Any]) -> bytes:
    """A job (or the failure arq keeps for a moment) as JSON: readable, and safe to read back."""
    return orjson.dumps(job, default=repr)


def deserialize_job(raw: bytes) -> dict[str, Any]:
    """A job again."""
    job: dict[str, Any] = orjson.loads(raw)
    return job


def arq_client(redis_url: str) -> ArqRedis:
    """A client that connects when it is used, and again when Redis was away; see `close_client`."""
    pool: ConnectionPool = ConnectionPool.from_url(
        redis_url, socket_connect_timeout=_CONNECT_SECONDS, socket_timeout=_ANSWER_SECONDS
    )
    return ArqRedis(pool, job_serializer=serialize_job, job_deserializer=deserialize_job)


async def close_client(client: ArqRedis) -> None:
    """Close a client's connections, whether or not Redis is there to hear of it."""
    with contextlib.suppress(RedisError, OSError):
        await client.aclose(close_connection_pool=True)


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How many jobs wait, and how long the first of them is overdue."""

    jobs: int
    oldest_seconds: float


class Queue:
    """Enqueues jobs; survives the absence of Redis."""

    def __init__(self, redis_url: str, *, patience_seconds: float = 5) -> None:
        # A Redis that accepts connections and says nothing must not hold up those who wake others.
        self._patience_seconds = patience_seconds
        self._redis = arq_client(redis_url)

    async def enqueue(
        self, part: str, function: str, *arguments: str, job_id: str | None = None
    ) -> bool:
        """Ask `part`'s worker to run `function`; False when Redis cannot be reached.

        A job whose `job_id` waits or runs already is not added again.
        """
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._redis.enqueue_job(
                    function, *arguments, _queue_name=queue_name(part), _job_id=job_id
                )
        except (RedisError, OSError) as error:
            _log.warning("enqueue_failed", function=function, error=type(error).__name__)
            return False
        return True

    async def depth(self, part: str, *, now: datetime) -> QueueDepth:
        """How much waits in a part's queue. Raises RedisError or OSError."""
        async with asyncio.timeout(self._patience_seconds):
            jobs = await self._redis.zcard(queue_name(part))
            first = await self._redis.zrange(queue_name(part), 0, 0, withscores=True)
        due = [score / 1000 for _, score in first]
        overdue = max(0.0, now.timestamp() - due[0]) if due else 0.0
        return QueueDepth(jobs, overdue)

    async def ping(self) -> None:
        """Raises when Redis does not answer."""
        await self._redis.ping()

    async def close(self) -> None:
        """Close the connections."""
        await close_client(self._redis)


class Waker:
    """Wakes one function of one part's worker per tenant, in the background, not too often.

    The first call goes out at once; further calls of the same tenant within the spacing become
    one. A wake-up that is lost costs time only: the worker's sweep finds the work.
    """

    def __init__(self, queue: Queue, *, part: str, function: str) -> None:
        self._queue = queue
        self._part = part
        self._function = function
        self._waiting: set[TenantId] = set()
        self._again: set[TenantId] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def wake(self, tenant_id: TenantId) -> None:
        """Have the function run for `tenant_id` soon; returns at once."""
        if tenant_id in self._waiting:
            self._again.add(tenant_id)
            return
        self._waiting.add(tenant_id)
        task = asyncio.create_task(self._send(tenant_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self) -> None:
        """Wait until every wake-up asked for has been sent."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _send(self, tenant_id: TenantId) -> None:
        try:
            while True:
                await self._queue.enqueue(self._part, self._function, tenant_id.hex)
                await asyncio.sleep(WAKE_SPACING_SECONDS)
                if tenant_id not in self._again:
                    return
                self._again.discard(tenant_id)
        finally:
            self._waiting.discard(tenant_id)
