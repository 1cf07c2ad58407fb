"""How the endpoints of `imports` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.deps import AskedDep
from services.customer.imports.service import ImportService
from shared.jobs.endpoints import job_kinds
from shared.jobs.repository import JobRepository
from shared.jobs.work import JobKinds


async def import_service(
    asked: AskedDep, kinds: Annotated[JobKinds, Depends(job_kinds)]
) -> ImportService:
    """Files of customers on their way in."""
    return ImportService(
        asked.uow,
        jobs=JobRepository(asked.uow, schema=asked.part.units.schema),
        kinds=kinds,
        sight=asked.sight,
    )


ImportServiceDep = Annotated[ImportService, Depends(import_service)]
