"""A part's background process: its arq queue, and the sweeps that find work without Redis."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import structlog
from arq.connections import ArqRedis
from arq.typing import WorkerCoroutine
from arq.worker import Function, func
from redis.exceptions import RedisError

from shared.db.failures import is_conflict, is_outage
from shared.observability.metrics import PERIODIC_FAILURES, WORKER_JOB_SECONDS
from shared.queue.gentle import GentleWorker
from shared.queue.producer import (
    arq_client,
    close_client,
    deserialize_job,
    queue_name,
    serialize_job,
)

_log = structlog.get_logger(__name__)

Job = Callable[..., Awaitable[None]]
JOB_TIMEOUT_SECONDS = 60
_RECONNECT_SECONDS = 0.5
_MARGIN_SECONDS = 2
# What runs when the worker is told to end may take so long; orchestrators wait for thirty.
FINISH_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Periodic:
    """Something done again and again, `seconds` after it was done last; needs no Redis."""

    name: str
    seconds: float
    run: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class PartWorker:
    """What a part's worker consists of. Jobs take text arguments only."""

    part: str
    redis_url: str
    poll_delay: float
    jobs: Mapping[str, Job]
    periodics: Sequence[Periodic] = ()
    hurry: Sequence[Callable[[], None]] = ()
    """Called when the worker is told to end: long work is to stop at its next good point."""
    close: Sequence[Callable[[], Awaitable[None]]] = field(default=())


async def run_workers(workers: Sequence[PartWorker], stop: asyncio.Event) -> None:
    """Run the workers in this process until `stop` is set, then let what runs come to its end.

    Long work is asked to stop where it can be taken up again; what is not done after
    FINISH_SECONDS is cancelled, which undoes its transaction.
    """
    tasks = [asyncio.create_task(_serve_queue(worker, stop)) for worker in workers]
    tasks += [
        asyncio.create_task(_repeat(periodic, worker.part, stop))
        for worker in workers
        for periodic in worker.periodics
    ]
    try:
        await stop.wait()
    finally:
        stop.set()
        for worker in workers:
            for tell in worker.hurry:
                tell()
        await asyncio.wait(tasks, timeout=FINISH_SECONDS + _MARGIN_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for worker in workers:
            for close in worker.close:
                await close()


async def _serve_queue(worker: PartWorker, stop: asyncio.Event) -> None:
    """Serve the queue, and start over whenever Redis has gone away."""
    ending: set[asyncio.Task[None]] = set()
    while not stop.is_set():
        client = arq_client(worker.redis_url)
        arq = _arq_worker(worker, client)
        serving = asyncio.create_task(arq.async_run())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not stop.is_set():
            _log.warning("queue_lost", part=worker.part, error=repr(_outcome(serving))[:300])
        # Jobs need Redis to begin, and not to go on.
        patience = FINISH_SECONDS if stop.is_set() else JOB_TIMEOUT_SECONDS
        end = asyncio.create_task(_end(arq, serving, client, patience))
        ending.add(end)
        end.add_done_callback(ending.discard)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _RECONNECT_SECONDS)
    await asyncio.gather(*ending)


def _outcome(serving: asyncio.Task[None]) -> BaseException | None:
    return None if serving.cancelled() else serving.exception()


async def _end(
    arq: GentleWorker, serving: asyncio.Task[None], client: ArqRedis, patience: float
) -> None:
    try:
        await arq.end(patience_seconds=patience)
    finally:
        await asyncio.gather(serving, return_exceptions=True)
        # Without Redis arq gives up before it has closed its connections.
        await close_client(client)


def _arq_worker(worker: PartWorker, client: ArqRedis) -> GentleWorker:
    return GentleWorker(
        functions=[_function(worker.part, name, job) for name, job in worker.jobs.items()],
        queue_name=queue_name(worker.part),
        redis_pool=client,
        job_serializer=serialize_job,
        job_deserializer=deserialize_job,
        handle_signals=False,
        poll_delay=worker.poll_delay,
        keep_result=0,
        max_jobs=20,
        # The jobs of workers that were killed lie in front of the others for a minute; a worker
        # must look past those of a whole series of crashes.
        queue_read_limit=500,
        max_tries=3,
        job_timeout=JOB_TIMEOUT_SECONDS,
        health_check_interval=60,
        health_check_key=f"{queue_name(worker.part)}:health",
        log_results=False,
    )


def _function(part: str, name: str, job: Job) -> Function:
    async def run(_ctx: dict[str, Any], *arguments: str) -> None:
        started, outcome = time.perf_counter(), "done"
        with structlog.contextvars.bound_contextvars(job=name):
            try:
                await job(*arguments)
            except Exception as error:  # noqa: BLE001  (a job may fail in any way; the worker goes on)
                if _passes_by_itself(error):
                    outcome = "interrupted"
                    _log.warning("job_interrupted", error=repr(error)[:300])
                else:
                    outcome = "failed"
                    _log.exception("job_failed")
        WORKER_JOB_SECONDS.labels(part, name, outcome).observe(time.perf_counter() - started)

    return func(cast("WorkerCoroutine", run), name=name, max_tries=1)


def _passes_by_itself(error: Exception) -> bool:
    """Whether a server was away or a lock was lost; a sweep finds the work again."""
    return isinstance(error, RedisError | OSError) or is_outage(error) or is_conflict(error)


async def _repeat(periodic: Periodic, part: str, stop: asyncio.Event) -> None:
    with structlog.contextvars.bound_contextvars(part=part, periodic=periodic.name):
        while not stop.is_set():
            try:
                await periodic.run()
            except Exception as error:  # noqa: BLE001  (the next round is the retry)
                PERIODIC_FAILURES.labels(part, periodic.name).inc()
                _log.warning("periodic_failed", error=repr(error)[:300])
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), periodic.seconds)
