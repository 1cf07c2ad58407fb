"""How the endpoints of `provenance` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.deps import AskedDep
from services.customer.families.seen import SeenPeople
from services.customer.provenance.repository import ProvenanceRepository
from services.customer.provenance.service import ProvenanceService
from services.customer.tenants.priorities import PriorityRepository
from shared.jobs.endpoints import job_kinds
from shared.jobs.repository import JobRepository
from shared.jobs.work import JobKinds


async def provenance_service(
    asked: AskedDep, kinds: Annotated[JobKinds, Depends(job_kinds)]
) -> ProvenanceService:
    """Who said what, and whom to believe."""
    return ProvenanceService(
        uow=asked.uow,
        provenance=ProvenanceRepository(asked.uow),
        priorities=PriorityRepository(asked.uow),
        people=SeenPeople(asked.uow, sight=asked.sight),
        jobs=JobRepository(asked.uow, schema=asked.part.units.schema),
        kinds=kinds,
        sight=asked.sight,
    )


ProvenanceServiceDep = Annotated[ProvenanceService, Depends(provenance_service)]
