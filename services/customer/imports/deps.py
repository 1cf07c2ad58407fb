"""How the endpoints of `imports` get what they call."""

from typing import Annotated

from fastapi import Depends, Request

from services.customer.deps import AskedDep
from services.customer.imports.service import ImportService
from services.customer.imports.space import ImportLimits
from shared.jobs.endpoints import job_kinds
from shared.jobs.repository import JobRepository
from shared.jobs.work import JobKinds


async def import_limits(request: Request) -> ImportLimits:
    """What the installation lets a shop have lying."""
    limits: ImportLimits = request.app.state.import_limits
    return limits


async def import_service(
    asked: AskedDep,
    kinds: Annotated[JobKinds, Depends(job_kinds)],
    limits: Annotated[ImportLimits, Depends(import_limits)],
) -> ImportService:
    """Files of customers on their way in."""
    return ImportService(
        asked.uow,
        jobs=JobRepository(asked.uow, schema=asked.part.units.schema),
        kinds=kinds,
        limits=limits,
        sight=asked.sight,
    )


ImportServiceDep = Annotated[ImportService, Depends(import_service)]
