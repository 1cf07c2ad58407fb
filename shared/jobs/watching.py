"""A job as a stream of events: each is the whole job as it stands, so that none need be kept."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId
from shared.jobs.errors import JobNotFound
from shared.jobs.repository import JobRepository
from shared.jobs.schemas import ENDED, JobRead
from shared.jobs.work import JobKinds
from shared.web.sse import ServerEvent

_LOOK_SECONDS: Final = 0.25


async def job_events(
    units: UnitsOfWork, kinds: JobKinds, tenant_id: TenantId, job_id: UUID, *, seen: str | None
) -> AsyncIterator[ServerEvent]:
    """The job whenever it has moved, beginning with how it stands unless that was `seen` already.

    Ends when the job has ended. It is looked at some times a second; that costs one look-up by
    key, and no connection in between.
    """
    told = seen
    while True:
        async with units.begin(tenant_id) as uow:
            try:
                job = kinds.described(await JobRepository(uow, schema=units.schema).get(job_id))
            except JobNotFound:
                return
        if event_id(job) != told:
            told = event_id(job)
            name = "ended" if job.status in ENDED else "progress"
            yield ServerEvent(told, name, job.model_dump_json())
        if job.status in ENDED:
            return
        await asyncio.sleep(_LOOK_SECONDS)


def event_id(job: JobRead) -> str:
    """The id of the event that tells how the job stands now."""
    return str(job.version)
