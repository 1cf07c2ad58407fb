"""Decisions about tasks."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.customers.repository import CustomerRepository
from services.customer.tasks.repository import TaskFilter, TaskRepository
from services.customer.tasks.schemas import TaskCreate, TaskPatch
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import TimelineRepository
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.web.resources import check_version


class TaskService:
    """What clients can do with tasks, as far as they see them."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        tasks: TaskRepository,
        customers: CustomerRepository,
        timeline: TimelineRepository,
    ) -> None:
        self._uow = uow
        self._tasks = tasks
        self._customers = customers
        self._timeline = timeline

    async def create(self, given: TaskCreate, *, created_by: UUID | None) -> Row[*tuple[Any, ...]]:
        """A new open task. Raises CustomerNotFound."""
        if given.customer_id is not None:
            await self._customers.get(given.customer_id)
        columns = {**given.model_dump(), **new_task(self._uow), "created_by": created_by}
        row = await self._tasks.add(columns)
        await self._timeline.add(task_entries([row], "task.created"))
        return row

    async def get(self, task_id: UUID) -> Row[*tuple[Any, ...]]:
        """Raises TaskNotFound."""
        return await self._tasks.get(task_id)

    async def page(
        self, wanted: TaskFilter, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of tasks, newest first, and the next cursor."""
        return await self._tasks.page(wanted, request)

    async def change(
        self, task_id: UUID, given: TaskPatch, *, expected_version: int | None
    ) -> Row[*tuple[Any, ...]]:
        """The task after the change. Raises TaskNotFound, PreconditionFailed."""
        before = await self._tasks.get(task_id, lock=True)
        check_version(before.version, expected_version)
        said = given.model_dump(exclude_unset=True)
        changes = {name: new for name, new in said.items() if getattr(before, name) != new}
        if not changes:
            return before
        now = self._uow.clock.now()
        if "status" in changes:
            changes["done_at"] = now if changes["status"] == "done" else None
        after = await self._tasks.save(task_id, {**changes, "updated_at": now})
        if "status" in changes and after.status != "open":
            await self._timeline.add(task_entries([after], f"task.{after.status}"))
        return after


def new_task(uow: UnitOfWork) -> Mapping[str, Any]:
    """The columns that every new task begins with."""
    now = uow.clock.now()
    return {
        "id": new_id(),
        "status": "open",
        "done_at": None,
        "created_at": now,
        "updated_at": now,
        "version": 1,
    }


def task_entries(rows: Sequence[Row[*tuple[Any, ...]]], kind: str) -> list[Entry]:
    """What the timelines of the tasks' customers tell."""
    return [
        Entry(
            customer_id=row.customer_id,
            type=kind,
            occurred_at=row.updated_at,
            data={
                "task_id": str(row.id),
                "title": row.title,
                "kind": row.kind,
                "assignee_role": row.assignee_role,
                "ticket_id": str(row.ticket_id) if row.ticket_id else None,
            },
        )
        for row in rows
        if row.customer_id is not None
    ]
