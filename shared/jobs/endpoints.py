"""`GET /v1/jobs/{id}`: the same in every part; the gateway asks the part that has the job."""

from uuid import UUID

from fastapi import Request

from shared.jobs.repository import JobRepository
from shared.jobs.schemas import JobRead
from shared.web.context import context_of
from shared.web.routing import UnitOfWorkDep, requires, service_router

router = service_router(prefix="/v1/jobs", tag="jobs")


@router.get("/{job_id}", operation_id="jobs.get", dependencies=[requires("jobs:read")])
async def get_job(job_id: UUID, request: Request, uow: UnitOfWorkDep) -> JobRead:
    """How a long-running job stands. Poll it, or wait for its event."""
    return await JobRepository(uow, schema=context_of(request).units.schema).get(job_id)
