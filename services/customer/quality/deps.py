"""How the endpoints of `quality` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.deps import AskedDep
from services.customer.families.seen import SeenPeople
from services.customer.quality.repository import QualityRepository
from services.customer.quality.service import QualityService
from shared.jobs.endpoints import job_kinds
from shared.jobs.repository import JobRepository
from shared.jobs.work import JobKinds


async def quality_service(
    asked: AskedDep, kinds: Annotated[JobKinds, Depends(job_kinds)]
) -> QualityService:
    """The quality of the shop's data."""
    return QualityService(
        asked.uow,
        quality=QualityRepository(asked.uow, sight=asked.sight),
        people=SeenPeople(asked.uow, sight=asked.sight),
        jobs=JobRepository(asked.uow, schema=asked.part.units.schema),
        kinds=kinds,
        sight=asked.sight,
    )


QualityServiceDep = Annotated[QualityService, Depends(quality_service)]
