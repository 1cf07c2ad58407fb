"""SQL of tasks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Uuid, bindparam, column, select, table, update
from sqlalchemy.dialects.postgresql import insert

from services.customer.tasks.errors import TaskNotFound
from services.customer.tasks.models import task
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork

NEWEST_FIRST = (
    SortKey(task.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(task.c.id, "id", parse_id, descending=True),
)

_TENANT = bindparam("tenant", type_=Uuid)
_COLUMNS = tuple(c.name for c in task.columns if c.name != "tenant_id")
_customer = table("customer", column("tenant_id", Uuid), column("id", Uuid), schema="customer")
_tasks = RowsParameter("task", task, _COLUMNS)

# A customer who is not known here is left out, not the task.
_known_customer = _tasks.source.outerjoin(
    _customer,
    (_customer.c.tenant_id == _TENANT) & (_customer.c.id == _tasks.source.c.customer_id),
)
_ADD_CAUSED = (
    insert(task)
    .from_select(
        ["tenant_id", *_COLUMNS],
        select(
            _TENANT,
            *(_customer.c.id if c.name == "customer_id" else c for c in _tasks.source.c),
        ).select_from(_known_customer),
    )
    .on_conflict_do_nothing(
        index_elements=["tenant_id", "cause_id"], index_where=task.c.cause_id.is_not(None)
    )
    .returning(*task.c)
)
_ADD = insert(task).returning(*task.c)
_BY_ID = select(task).where(task.c.tenant_id == _TENANT, task.c.id == bindparam("id", type_=Uuid))
_LOCK = _BY_ID.with_for_update()


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks a client wants; None or empty asks for nothing."""

    statuses: Collection[str] = ()
    customer_id: UUID | None = None
    assignee_id: UUID | None = None
    assignee_role: str | None = None
    kind: str | None = None


class TaskRepository:
    """Tasks, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def add(self, columns: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The new task."""
        return await self._uow.one(_ADD, {"tenant_id": self._uow.tenant_id, **columns})

    async def add_caused(
        self, tasks: Sequence[Mapping[str, Any]]
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """The tasks that are new: one per cause."""
        if not tasks:
            return []
        return await self._uow.rows(_ADD_CAUSED, {**self._tenant, **_tasks.values(tasks)})

    async def get(self, task_id: UUID, *, lock: bool = False) -> Row[*tuple[Any, ...]]:
        """Raises TaskNotFound."""
        statement = _LOCK if lock else _BY_ID
        row = await self._uow.one_or_none(statement, {**self._tenant, "id": task_id})
        if row is None:
            raise TaskNotFound
        return row

    async def save(self, task_id: UUID, changes: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The task with these columns changed and its version grown."""
        statement = (
            update(task)
            .where(task.c.tenant_id == self._uow.tenant_id, task.c.id == task_id)
            .values(**changes, version=task.c.version + 1)
            .returning(*task.c)
        )
        return await self._uow.one(statement)

    async def page(
        self, wanted: TaskFilter, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of tasks, newest first, and the next cursor."""
        statement = select(task).where(task.c.tenant_id == _TENANT)
        if wanted.statuses:
            statement = statement.where(task.c.status.in_(sorted(wanted.statuses)))
        for name in ("customer_id", "assignee_id", "assignee_role", "kind"):
            value = getattr(wanted, name)
            if value is not None:
                statement = statement.where(task.c[name] == value)
        rows = await self._uow.rows(page(statement, NEWEST_FIRST, request), self._tenant)
        return next_cursor(rows, NEWEST_FIRST, request.limit)
