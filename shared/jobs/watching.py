"""A job as a stream of events: each is the whole job as it stands, so that none need be kept."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId
from shared.jobs.errors import JobNotFound
from shared.jobs.repository import JobRepository
from shared.jobs.schemas import ENDED, JobRead
from shared.jobs.work import JobKinds
from shared.web.sse import ServerEvent

_SHORTEST_LOOK, _LONGEST_LOOK = 0.25, 1.0


async def job_events(
    units: UnitsOfWork, kinds: JobKinds, tenant_id: TenantId, job_id: UUID, *, seen: str | None
) -> AsyncIterator[ServerEvent]:
    """The job whenever it has moved, beginning with how it stands unless that was `seen` already.

    Ends when the job has ended. It is looked at some times a second while it moves, and less often
    when it stands; a look is one look-up by key, and holds no connection in between.
    """
    told, pause = seen, _SHORTEST_LOOK
    while True:
        async with units.begin(tenant_id) as uow:
            try:
                job = kinds.described(await JobRepository(uow, schema=units.schema).get(job_id))
            except JobNotFound:
                return
        if event_id(job) != told:
            told, pause = event_id(job), _SHORTEST_LOOK
            name = "ended" if job.status in ENDED else "progress"
            yield ServerEvent(told, name, job.model_dump_json())
        if job.status in ENDED:
            return
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_LOOK)


def event_id(job: JobRead) -> str:
    """The id of the event that tells how the job stands now."""
    return str(job.version)
