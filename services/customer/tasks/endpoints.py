"""`/v1/tasks`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response, status

from services.customer.deps import StaffIdDep
from services.customer.tasks.deps import TaskServiceDep
from services.customer.tasks.errors import NobodysCalls
from services.customer.tasks.repository import TaskFilter
from services.customer.tasks.schemas import (
    AssigneeRole,
    CallRead,
    TaskCreate,
    TaskKind,
    TaskPatch,
    TaskRead,
)
from shared.db.paging import PageRequest
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/tasks", tag="tasks")

StatusList = Annotated[
    str | None,
    Query(
        pattern="^(open|done|cancelled)(,(open|done|cancelled)){0,2}$",
        description="One or several, with commas between",
        examples=["open"],
        alias="status",
    ),
]


async def task_filter(
    statuses: StatusList = None,
    customer_id: UUID | None = None,
    assignee_id: UUID | None = None,
    assignee_role: AssigneeRole | None = None,
    kind: TaskKind | None = None,
) -> TaskFilter:
    """The filters of the list; all that are given must hold."""
    return TaskFilter(
        statuses=frozenset(statuses.split(",")) if statuses else frozenset(),
        customer_id=customer_id,
        assignee_id=assignee_id,
        assignee_role=assignee_role,
        kind=kind,
    )


@router.get("", operation_id="tasks.list", dependencies=[requires("tasks:read")])
async def list_tasks(
    tasks: TaskServiceDep,
    wanted: Annotated[TaskFilter, Depends(task_filter)],
    request: Annotated[PageRequest, Depends(page_request)],
) -> Page[TaskRead]:
    """List tasks, newest first.

    Staff who see their own work see the tasks given to them, made by them, or given to nobody in
    person; staff who see their teams' work also those of their teammates.
    """
    rows, cursor = await tasks.page(wanted, request)
    return Page(data=[TaskRead.model_validate(row._mapping) for row in rows], next_cursor=cursor)


@router.get("/call-list", operation_id="tasks.listCalls", dependencies=[requires("tasks:read")])
async def list_calls(
    tasks: TaskServiceDep,
    staff_id: StaffIdDep,
    request: Annotated[PageRequest, Depends(page_request)],
    assignee_id: Annotated[
        UUID | None, Query(description="Whose calls; the caller's own unless it is said")
    ] = None,
) -> Page[CallRead]:
    """List the open calls that somebody has to make: the most urgent first, then as they fall due.

    Each with whom to call, and whether that is still allowed.
    """
    whose = assignee_id or staff_id
    if whose is None:
        raise NobodysCalls
    rows, cursor = await tasks.calls(whose, request)
    return Page(data=list(rows), next_cursor=cursor)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="tasks.create",
    dependencies=[requires("tasks:write")],
)
async def create_task(
    body: TaskCreate, response: Response, tasks: TaskServiceDep, staff_id: StaffIdDep
) -> TaskRead:
    """Create a task; it appears in its customer's timeline."""
    row = await tasks.create(body, created_by=staff_id)
    response.headers["location"] = f"/v1/tasks/{row.id}"
    response.headers["etag"] = etag(row.version)
    return TaskRead.model_validate(row._mapping)


@router.get("/{task_id}", operation_id="tasks.get", dependencies=[requires("tasks:read")])
async def get_task(task_id: UUID, response: Response, tasks: TaskServiceDep) -> TaskRead:
    """Get a task."""
    row = await tasks.get(task_id)
    response.headers["etag"] = etag(row.version)
    return TaskRead.model_validate(row._mapping)


@router.patch("/{task_id}", operation_id="tasks.update", dependencies=[requires("tasks:write")])
async def update_task(
    task_id: UUID,
    body: TaskPatch,
    response: Response,
    tasks: TaskServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> TaskRead:
    """Change a task: do it, cancel it, reopen it, give it to somebody else."""
    row = await tasks.change(task_id, body, expected_version=expected_version)
    response.headers["etag"] = etag(row.version)
    return TaskRead.model_validate(row._mapping)
