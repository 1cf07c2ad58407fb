"""How every part's worker is put together."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog

from shared.contracts.topology import SUBSCRIPTIONS
from shared.db.walls import WallsDown, check_walls
from shared.jobs.forgetting import forget_old_jobs
from shared.jobs.runner import JobRunner, job_function, runner_jobs, runner_sweep
from shared.jobs.work import JobKinds
from shared.part.context import PartContext
from shared.privacy.part import PartPrivacy
from shared.queue.producer import Waker
from shared.queue.worker import Job, PartWorker, Periodic
from shared.stream.consumer import Consumer
from shared.stream.handlers import EventHandlers
from shared.stream.jobs import stream_jobs, stream_sweep
from shared.stream.measuring import Backlogs
from shared.stream.relay import Relay
from shared.stream.retention import OutboxRetention
from shared.web.idempotency import forget_old_keys

_FORGET_SECONDS = 1800.0
_WALLS_SECONDS = 300.0
_log = structlog.get_logger(__name__)


def build_part_worker(
    context: PartContext[Any],
    *,
    handlers: EventHandlers,
    jobs: Mapping[str, Job] | None = None,
    periodics: Sequence[Periodic] = (),
    job_kinds: JobKinds | None = None,
    privacy: PartPrivacy | None = None,
) -> PartWorker:
    """A worker that carries the part's streams both ways and runs its own jobs.

    `job_kinds` are the long-running jobs that clients follow, `jobs` functions of the queue;
    `privacy` looks once more after people who were erased.

    Raises ValueError when the part subscribed to an event that it has no handler for.
    """
    settings = context.settings
    part = settings.part
    _check_handlers(part, handlers)
    relay = Relay(
        units=context.units, queue=context.queue, subscriptions=SUBSCRIPTIONS.get(part, {})
    )
    context.units.announce_events_to(relay.announce)
    consumer = Consumer(units=context.units, queue=context.queue, handlers=handlers)
    backlogs = Backlogs(
        units=context.units, queue=context.queue, subscriptions=SUBSCRIPTIONS.get(part, {})
    )
    waker = Waker(context.queue, part=part, function=job_function(part))
    runner = JobRunner(units=context.units, kinds=job_kinds or JobKinds(), wake=waker.wake)
    return PartWorker(
        part=part,
        redis_url=settings.redis_url,
        poll_delay=settings.poll_delay,
        jobs={**stream_jobs(relay, consumer), **runner_jobs(runner, part), **(jobs or {})},
        periodics=[
            stream_sweep(relay),
            backlogs.periodic(),
            runner_sweep(runner, part),
            _watching_walls(context),
            *_forgetting(context),
            *([privacy.sweep(context.units)] if privacy is not None else []),
            *periodics,
        ],
        hurry=[runner.hurry],
        close=[relay.drain, waker.drain, context.close],
    )


def _watching_walls(context: PartContext[Any]) -> Periodic:
    """At the start and now and then: a worker that sees no rows would just have nothing to do."""

    async def look() -> None:
        try:
            await check_walls(context.units)
        except WallsDown as error:
            _log.critical("walls_down", reason=str(error))

    return Periodic("walls.check", _WALLS_SECONDS, look)


def _forgetting(context: PartContext[Any]) -> list[Periodic]:
    units = context.units
    retention = OutboxRetention(
        units=units,
        subscriptions=SUBSCRIPTIONS.get(context.settings.part, {}),
        kept=timedelta(days=context.settings.event_days),
    )
    return [
        Periodic("idempotency.forget", _FORGET_SECONDS, lambda: forget_old_keys(units)),
        Periodic("outbox.forget", _FORGET_SECONDS, retention.sweep),
        Periodic("jobs.forget", _FORGET_SECONDS, lambda: forget_old_jobs(units)),
    ]


def _check_handlers(part: str, handlers: EventHandlers) -> None:
    subscribed = {
        event for consumers in SUBSCRIPTIONS.values() for event in consumers.get(part, frozenset())
    }
    missing = subscribed - handlers.types
    if missing:
        raise ValueError(f"{part} has no handler for {', '.join(sorted(missing))}")
