"""How the endpoints of `assignment` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.assignment.repository import AssignmentRepository
from services.customer.assignment.service import AssignmentService
from services.customer.deps import AskedDep


async def assignment_service(asked: AskedDep) -> AssignmentService:
    """The rules by which customers find their staff."""
    rules = AssignmentRepository(asked.uow)
    return AssignmentService(uow=asked.uow, rules=rules, shops=asked.shops)


AssignmentServiceDep = Annotated[AssignmentService, Depends(assignment_service)]
