"""How the endpoints of `retention` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.deps import AskedDep, ShopDep
from services.customer.retention.service import RetentionService
from shared.jobs.endpoints import job_kinds
from shared.jobs.repository import JobRepository
from shared.jobs.work import JobKinds


async def retention_service(
    asked: AskedDep, shop: ShopDep, kinds: Annotated[JobKinds, Depends(job_kinds)]
) -> RetentionService:
    """The retention rules of the shop."""
    return RetentionService(
        asked.uow,
        shop=shop,
        jobs=JobRepository(asked.uow, schema=asked.part.units.schema),
        kinds=kinds,
        sight=asked.sight,
        actor_id=asked.principal.actor_id,
    )


RetentionServiceDep = Annotated[RetentionService, Depends(retention_service)]
