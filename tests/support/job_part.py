"""A part with one kind of job: it counts, and writes down what it has counted.

`python -m tests.support.job_part` is its worker until killed, with settings in the environment.
"""

import asyncio
import json
import os
from dataclasses import asdict, dataclass
from typing import Any

from fastapi import FastAPI
from sqlalchemy import BigInteger, Column, Table, Uuid, insert

from shared.clock import Clock
from shared.db.tables import part_metadata, tenant_column
from shared.db.unit_of_work import UnitOfWork
from shared.jobs.errors import GivenUp
from shared.jobs.files import JobFiles
from shared.jobs.runner import JobRunner, runner_jobs, runner_sweep
from shared.jobs.schemas import JobRead
from shared.jobs.work import Done, Going, HeldJob, JobKind, JobKinds, Step, Waiting
from shared.part.app import create_part_app
from shared.part.context import PartContext, build_context
from shared.queue.worker import PartWorker, run_workers
from tests.support.parts import part_settings

COUNTING = "counting"
CONFIGURATION = "CARELOOP_TEST_JOBS"
COUNTED = Table(
    "counted",
    part_metadata(COUNTING),
    tenant_column(),
    Column("job_id", Uuid, primary_key=True),
    Column("number", BigInteger, primary_key=True),
)


class Counting(JobKind):
    """Counts to `detail.to`, a number a step; the key of its table forbids to count one twice."""

    name = "counting"

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        number = job.state.get("number", 0) + 1
        if job.detail.get("waits_at") == number and not job.state.get("has_waited"):
            return Waiting()
        if job.detail.get("hopeless_at") == number:
            raise GivenUp("no_such_number")
        row = {"tenant_id": uow.tenant_id, "job_id": job.id, "number": number}
        await uow.execute(insert(COUNTED), row)
        await JobFiles(uow, schema=COUNTING).write(
            job,
            "result",
            f"{number}\n".encode(),
            rows=1,
            file_name="numbers.csv",
            media_type="text/csv; charset=utf-8",
        )
        if job.detail.get("fails_at") == number:
            raise ValueError("on purpose, after the effect")
        if number == job.detail["to"]:
            return Done(done=number, detail={"counted": number})
        await asyncio.sleep(job.detail.get("seconds", 0))
        return Going(done=number, total=job.detail["to"], state={"number": number})

    async def clean_up(self, uow: UnitOfWork, job: HeldJob) -> None:
        await uow.execute(
            COUNTED.delete().where(COUNTED.c.tenant_id == uow.tenant_id, COUNTED.c.job_id == job.id)
        )

    def may_cancel(self, job: JobRead) -> bool:
        return not job.detail.get("unstoppable")


@dataclass(frozen=True)
class Configuration:
    """What the worker's process needs to know."""

    database_url: str
    redis_url: str
    root_key: str

    def environment(self) -> dict[str, str]:
        """The variables to start it with."""
        return {**os.environ, CONFIGURATION: json.dumps(asdict(self))}


def counting_context(configuration: Configuration, clock: Clock | None = None) -> PartContext[Any]:
    """The context of the part."""
    settings = part_settings(
        COUNTING,
        root_key=configuration.root_key,
        database_url=configuration.database_url,
        redis_url=configuration.redis_url,
    )
    return build_context(settings, clock)


async def nobody(_tenant: object) -> None:
    """A wake-up that reaches nobody."""


def counting_kinds() -> JobKinds:
    """What the part runs."""
    return JobKinds([Counting()], wake=nobody)


def create_counting_app(context: PartContext[Any]) -> FastAPI:
    """The part's API: nothing but its jobs."""
    return create_part_app(
        context, title="Counting", description="Counts.", routers=[], job_kinds=counting_kinds()
    )


def counting_runner(context: PartContext[Any]) -> JobRunner:
    """What its worker works with."""
    return JobRunner(units=context.units, kinds=counting_kinds(), wake=nobody)


def counting_worker(configuration: Configuration) -> PartWorker:
    """Its worker."""
    context = counting_context(configuration)
    runner = counting_runner(context)
    return PartWorker(
        part=COUNTING,
        redis_url=configuration.redis_url,
        poll_delay=0.01,
        jobs=runner_jobs(runner, COUNTING),
        periodics=[runner_sweep(runner, COUNTING)],
        close=[context.close],
    )


if __name__ == "__main__":
    given = Configuration(**json.loads(os.environ[CONFIGURATION]))
    asyncio.run(run_workers([counting_worker(given)], asyncio.Event()))
