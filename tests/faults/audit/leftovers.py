"""Nothing is stuck, leased, locked or waiting for somebody who will not come."""

from collections.abc import Iterator

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.queue.producer import queue_name
from shared.queue.worker import JOB_TIMEOUT_SECONDS
from shared.settings import SCHEMAS
from tests.faults.audit.books import Books, Check, Examined, asks

_JOBS = " UNION ALL ".join(
    f"SELECT '{schema}' AS part, tenant_id, id, kind, status FROM {schema}.job"
    for schema in SCHEMAS
)
# A worker that was killed leaves its jobs marked as running; the mark goes by itself.
_MARK_SECONDS = JOB_TIMEOUT_SECONDS + 15


def leftover_checks(redis_url: str) -> Iterator[Check]:
    """The house at rest holds on to nothing."""
    yield asks(
        "jobs have ended",
        "no job is queued or running",
        of=f"({_JOBS}) AS j",
        faults=f"SELECT * FROM ({_JOBS}) AS j WHERE status IN ('queued', 'running')",
    )
    yield asks(
        "runs have ended",
        "no walk over a shop is left half-way",
        of="segmentation.run",
        faults="SELECT tenant_id, job_id, kind, phase, attempts FROM segmentation.run",
    )
    yield asks(
        "no transaction is open",
        "nobody sits on a transaction or waits for a lock",
        of="pg_stat_activity WHERE usename LIKE 'careloop_%'",
        faults="""
            SELECT application_name, state, wait_event_type, left(query, 80) AS query
            FROM pg_stat_activity
            WHERE usename LIKE 'careloop_%' AND datname = current_database()
              AND ((state LIKE 'idle in transaction%'
                    AND state_change < clock_timestamp() - interval '5 seconds')
                OR (wait_event_type = 'Lock'
                    AND query_start < clock_timestamp() - interval '5 seconds'))
        """,
    )
    yield asks(
        "no lock is left",
        "no advisory lock, no transaction that waits for a second phase",
        of="pg_locks",
        faults="""
            SELECT 'advisory' AS what, pid::text AS who FROM pg_locks
            WHERE locktype = 'advisory'
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            UNION ALL
            SELECT 'prepared', gid FROM pg_prepared_xacts
        """,
    )

    async def queues(_connection: AsyncConnection, _books: Books) -> Examined:
        examined, wrong = 0, []
        async with Redis.from_url(redis_url, decode_responses=True) as redis:
            for schema in SCHEMAS:
                jobs = await redis.zrange(queue_name(schema), 0, -1)
                examined += len(jobs)
                for job in jobs:
                    left = await redis.ttl(f"arq:in-progress:{job}")
                    if not 0 <= left <= _MARK_SECONDS:
                        wrong.append(f"{schema}: {job} waits, and nobody is at it ({left})")
        return Examined(examined, wrong)

    yield Check("queues are empty", "no job waits but those of the dead, for a minute", queues)
