"""How the endpoints of `exports` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.deps import AskedDep
from services.customer.exports.service import ExportService
from shared.jobs.endpoints import job_kinds
from shared.jobs.repository import JobRepository
from shared.jobs.work import JobKinds


async def export_service(
    asked: AskedDep, kinds: Annotated[JobKinds, Depends(job_kinds)]
) -> ExportService:
    """Files of customers."""
    jobs = JobRepository(asked.uow, schema=asked.part.units.schema)
    return ExportService(asked.uow, jobs=jobs, kinds=kinds, shops=asked.shops)


ExportServiceDep = Annotated[ExportService, Depends(export_service)]
