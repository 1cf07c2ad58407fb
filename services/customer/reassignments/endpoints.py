"""`/v1/assignment-rules/reassignments`, and whose a customer was."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response, status

from services.customer.assignment.schemas import AssignmentRead
from services.customer.reassignments.deps import ReassignmentServiceDep
from services.customer.reassignments.schemas import ReassignmentCreate
from shared.db.paging import PageRequest
from shared.jobs.schemas import JobRead
from shared.web.resources import Page, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1", tag="assignment-rules")


@router.post(
    "/assignment-rules/reassignments",
    status_code=status.HTTP_202_ACCEPTED,
    operation_id="assignmentRules.reassign",
    dependencies=[requires("assignment_rules:write", "customers:write")],
)
async def reassign_customers(
    wanted: ReassignmentCreate, reassignments: ReassignmentServiceDep, response: Response
) -> JobRead:
    """Give somebody's customers to others, in turn; `Location` is the job to follow.

    Each move is in the customer's log and timeline. Who leaves is deactivated before: then no rule
    gives them new customers while the old ones are moved.
    """
    job = await reassignments.start(wanted)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job


@router.get(
    "/customers/{customer_id}/assignments",
    operation_id="customers.listAssignments",
    dependencies=[requires("customers:read")],
)
async def list_assignments(
    customer_id: UUID,
    reassignments: ReassignmentServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
) -> Page[AssignmentRead]:
    """List who was given a customer by rules and reassignments, newest first, and why."""
    rows, cursor = await reassignments.log_of(customer_id, request)
    data = [AssignmentRead.model_validate(row._mapping) for row in rows]
    return Page(data=data, next_cursor=cursor)
