"""How the endpoints of `reassignments` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.assignment.repository import AssignmentRepository
from services.customer.deps import AskedDep
from services.customer.families.seen import SeenPeople
from services.customer.reassignments.service import ReassignmentService
from shared.jobs.endpoints import job_kinds
from shared.jobs.repository import JobRepository
from shared.jobs.work import JobKinds


async def reassignment_service(
    asked: AskedDep, kinds: Annotated[JobKinds, Depends(job_kinds)]
) -> ReassignmentService:
    """Giving many customers to other staff."""
    return ReassignmentService(
        asked.uow,
        rules=AssignmentRepository(asked.uow),
        people=SeenPeople(asked.uow, sight=asked.sight),
        jobs=JobRepository(asked.uow, schema=asked.part.units.schema),
        kinds=kinds,
        sight=asked.sight,
    )


ReassignmentServiceDep = Annotated[ReassignmentService, Depends(reassignment_service)]
