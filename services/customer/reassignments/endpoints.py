"""`/v1/assignment-rules/reassignments`, and whose a customer was."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response, status

from services.customer.assignment.schemas import AssignmentRead
from services.customer.reassignments.deps import ReassignmentServiceDep
from services.customer.reassignments.schemas import HandoverCreate, ReassignmentCreate
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

    Each move is in the customer's log and timeline. The open tasks that they have for these
    customers go along, unless `hand_over` says otherwise.
    """
    job = await reassignments.start(wanted)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job


@router.post(
    "/assignment-rules/handovers",
    status_code=status.HTTP_202_ACCEPTED,
    operation_id="assignmentRules.handOver",
    dependencies=[
        requires("assignment_rules:write", "customers:write", "tasks:write", "appointments:write")
    ],
)
async def hand_over(
    wanted: HandoverCreate, reassignments: ReassignmentServiceDep, response: Response
) -> JobRead:
    """Give all that somebody has who leaves to others, in turn: customers, tasks, appointments.

    What they have to do for customers goes along with these; the rest is given in turn, too. Who
    leaves is deactivated before: then no rule gives them new customers meanwhile.
    """
    job = await reassignments.hand_over(wanted)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job


@router.post(
    "/assignment-rules/reassignments/{job_id}/undo",
    status_code=status.HTTP_202_ACCEPTED,
    operation_id="assignmentRules.undoReassignment",
    dependencies=[requires("assignment_rules:write", "customers:write")],
)
async def undo_reassignment(
    job_id: UUID, reassignments: ReassignmentServiceDep, response: Response
) -> JobRead:
    """Give back what a reassignment or a handover has moved; `Location` is the job to follow.

    What somebody has given to yet others since, tasks done and appointments over stay where they
    are.
    """
    job = await reassignments.undo(job_id)
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
    """List who was given a customer, or a task or appointment of theirs, newest first, and why."""
    rows, cursor = await reassignments.log_of(customer_id, request)
    data = [AssignmentRead.model_validate(row._mapping) for row in rows]
    return Page(data=data, next_cursor=cursor)
