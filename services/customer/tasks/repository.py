"""SQL of tasks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    Text,
    Uuid,
    bindparam,
    column,
    func,
    literal_column,
    select,
    table,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.customers.models import customer
from services.customer.customers.record import CustomerRecord
from services.customer.customers.repository import CUSTOMER_COLUMNS
from services.customer.tasks.errors import TaskNotFound
from services.customer.tasks.models import DUE, task
from services.customer.tasks.sight import is_seen, sources
from shared.db.merged import merged_page
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.rows import RowsParameter
from shared.db.sighted import Sighted
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

NEWEST_FIRST = (
    SortKey(task.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(task.c.id, "id", parse_id, descending=True),
)

_TENANT = bindparam("tenant", type_=Uuid)
_STAFF = bindparam("staff", type_=Uuid)
_COLUMNS = tuple(c.name for c in task.columns if c.name != "tenant_id")
_customer = table("customer", column("tenant_id", Uuid), column("id", Uuid), schema="customer")
_tasks = RowsParameter("task", task, _COLUMNS)

# A customer who is not known here is left out, not the task.
_known_customer = _tasks.source.outerjoin(
    _customer,
    (_customer.c.tenant_id == _TENANT) & (_customer.c.id == _tasks.source.c.customer_id),
)
_caused = (
    select(
        *(_customer.c.id.label(c.name) if c.name == "customer_id" else c for c in _tasks.source.c)
    )
    .select_from(_known_customer)
    .cte("caused")
    .prefix_with("MATERIALIZED")
)
_ADD_CAUSED = (
    insert(task)
    .from_select(["tenant_id", *_COLUMNS], select(_TENANT, *_caused.c))
    .on_conflict_do_nothing(
        index_elements=["tenant_id", "cause_id"], index_where=task.c.cause_id.is_not(None)
    )
    .returning(*task.c)
)
_ADD = insert(task).returning(*task.c)
_by_id = select(task).where(task.c.tenant_id == _TENANT, task.c.id == bindparam("id", type_=Uuid))
_BY_ID = Sighted(_by_id, is_seen)
_LOCK = Sighted(_by_id.with_for_update(), is_seen)


_CALLS_FIRST = (
    SortKey(task.c.priority, "priority", int, descending=True),
    SortKey(DUE, "due", parse_instant),
    SortKey(task.c.id, "id", parse_id),
)
_IS_A_CALL = (task.c.status == literal_column("'open'"), task.c.kind == literal_column("'call'"))
_PEOPLE = select(*CUSTOMER_COLUMNS).where(
    customer.c.tenant_id == _TENANT, customer.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid)))
)
# As the partial index has it.
_IS_TO_REMIND_OF = (
    task.c.status == literal_column("'open'"),
    task.c.reminder_at.is_not(None),
    task.c.reminded_at.is_(None),
)
_due = (
    select(task.c.id)
    .where(
        task.c.tenant_id == _TENANT,
        *_IS_TO_REMIND_OF,
        task.c.reminder_at <= bindparam("now", type_=Instant),
    )
    .order_by(task.c.reminder_at)
    .limit(bindparam("at_most", type_=Integer))
    .with_for_update(skip_locked=True)
    .cte("due")
    .prefix_with("MATERIALIZED")
)
_TAKE_REMINDERS = (
    update(task)
    .values(reminded_at=bindparam("now", type_=Instant))
    .where(task.c.tenant_id == _TENANT, task.c.id == _due.c.id)
    .returning(*task.c)
)

_open_calls = (
    select(task.c.id)
    .where(
        task.c.tenant_id == _TENANT,
        task.c.customer_id == func.any(bindparam("members", type_=ARRAY(Uuid))),
        *_IS_A_CALL,
        task.c.id != bindparam("but", type_=Uuid),
    )
    .order_by(task.c.id)
    .with_for_update()
    .cte("open_calls")
    .prefix_with("MATERIALIZED")
)
_CALL_OFF = (
    update(task)
    .values(
        status="cancelled",
        result_code=bindparam("word", type_=Text),
        updated_at=bindparam("now", type_=Instant),
        version=task.c.version + 1,
    )
    .where(task.c.tenant_id == _TENANT, task.c.id == _open_calls.c.id)
    .returning(*task.c)
)

_IS_OPEN = task.c.status == literal_column("'open'")
_OPEN_OF = (
    select(task.c.id)
    .where(task.c.tenant_id == _TENANT, _IS_OPEN, task.c.assignee_id == _STAFF)
    .order_by(task.c.created_at, task.c.id)
    .limit(bindparam("at_most", type_=Integer))
)


def _hand_over(key: Literal["id", "customer_id"]) -> Any:
    """Open tasks of somebody get the assignee that is given for what they are known by."""
    heirs = RowsParameter("heir", task, (key, "assignee_id"))
    taken = (
        select(task.c.id, heirs.source.c.assignee_id)
        .join_from(task, heirs.source, task.c[key] == heirs.source.c[key])
        .where(task.c.tenant_id == _TENANT, _IS_OPEN, task.c.assignee_id == _STAFF)
        .order_by(task.c.id)
        .with_for_update(of=task)
        .cte("taken")
        .prefix_with("MATERIALIZED")
    )
    statement = (
        update(task)
        .values(
            assignee_id=taken.c.assignee_id,
            updated_at=bindparam("now", type_=Instant),
            version=task.c.version + 1,
        )
        .where(task.c.tenant_id == _TENANT, task.c.id == taken.c.id)
        .returning(task.c.id, task.c.customer_id, task.c.assignee_id)
    )
    return heirs, statement


_HEIRS_OF_CUSTOMERS, _HAND_OVER = _hand_over("customer_id")
_HEIRS_OF_TASKS, _HAND_OVER_THESE = _hand_over("id")


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks a client wants; None or empty asks for nothing.

    `member_ids` are the records of the customer, whoever of them is named.
    """

    statuses: Collection[str] = ()
    customer_id: UUID | None = None
    member_ids: Collection[UUID] | None = None
    assignee_id: UUID | None = None
    assignee_role: str | None = None
    kind: str | None = None


class TaskRepository:
    """Tasks, inside one unit of work. What a caller asks for is narrowed to their `sight`."""

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._sight = sight
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
        statement, seen = (_LOCK if lock else _BY_ID).seen_by(self._sight)
        row = await self._uow.one_or_none(statement, {**self._tenant, **seen, "id": task_id})
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

    async def take_reminders(self, *, at_most: int) -> Sequence[Row[*tuple[Any, ...]]]:
        """Open tasks of which it is time to remind; from now on it is done."""
        now = {"now": self._uow.clock.now(), "at_most": at_most}
        return await self._uow.rows(_TAKE_REMINDERS, {**self._tenant, **now})

    async def call_off(
        self, member_ids: Collection[UUID], *, but: UUID, result_code: str | None
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """The open calls of a person, cancelled, except for one."""
        named = {"members": list(member_ids), "but": but, "word": result_code}
        now = self._uow.clock.now()
        return await self._uow.rows(_CALL_OFF, {**self._tenant, **named, "now": now})

    async def open_of(self, staff_id: UUID, at_most: int) -> Sequence[UUID]:
        """Some of the open tasks of somebody, the oldest first."""
        return await self._uow.scalars(
            _OPEN_OF, {**self._tenant, "staff": staff_id, "at_most": at_most}
        )

    async def hand_over(
        self, staff_id: UUID, heirs: Mapping[UUID, UUID]
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """The open tasks that somebody has with these records of customers, given to others."""
        rows = [{"customer_id": record, "assignee_id": heir} for record, heir in heirs.items()]
        named = {"staff": staff_id, "now": self._uow.clock.now()}
        given = {**self._tenant, **named, **_HEIRS_OF_CUSTOMERS.values(rows)}
        return await self._uow.rows(_HAND_OVER, given) if rows else []

    async def hand_over_these(
        self, staff_id: UUID, heirs: Mapping[UUID, UUID]
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """These tasks given to others, as far as they are open and still somebody's."""
        rows = [{"id": task_id, "assignee_id": heir} for task_id, heir in heirs.items()]
        named = {"staff": staff_id, "now": self._uow.clock.now()}
        given = {**self._tenant, **named, **_HEIRS_OF_TASKS.values(rows)}
        return await self._uow.rows(_HAND_OVER_THESE, given) if rows else []

    async def calls(
        self, staff_id: UUID, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of the open calls of somebody, the most urgent first, and the next cursor."""
        statement = select(task, DUE.label("due")).where(
            task.c.tenant_id == _TENANT, *_IS_A_CALL, task.c.assignee_id == staff_id
        )
        if self._sight is not None:
            statement = statement.where(is_seen(of_teams=self._sight.of_teams))
        rows = await self._uow.rows(page(statement, _CALLS_FIRST, request), self._asked())
        return next_cursor(rows, _CALLS_FIRST, request.limit)

    async def people(self, customer_ids: Collection[UUID]) -> dict[UUID, CustomerRecord]:
        """The customers with these ids."""
        rows = await self._uow.rows(_PEOPLE, {**self._tenant, "ids": list(customer_ids)})
        return {row.id: CustomerRecord.of(row) for row in rows}

    async def page(
        self, wanted: TaskFilter, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of tasks, newest first, and the next cursor."""
        rows = await self._uow.rows(self._page(_conditions(wanted), request), self._asked())
        return next_cursor(rows, NEWEST_FIRST, request.limit)

    def _page(self, where: Sequence[ColumnElement[bool]], request: PageRequest) -> Select[Any]:
        if self._sight is None:
            return page(select(task).where(*where), NEWEST_FIRST, request)
        return merged_page(
            task,
            list(task.c),
            sources(of_teams=self._sight.of_teams),
            where=where,
            order=NEWEST_FIRST,
            request=request,
        )

    def _asked(self) -> Mapping[str, Any]:
        """The tenant, and who looks."""
        if self._sight is None:
            return self._tenant
        return {**self._tenant, **self._sight.parameters()}


def _conditions(wanted: TaskFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [task.c.tenant_id == _TENANT]
    if wanted.statuses:
        conditions.append(task.c.status.in_(sorted(wanted.statuses)))
    if wanted.member_ids is not None:
        conditions.append(task.c.customer_id.in_(sorted(wanted.member_ids)))
    for name in ("assignee_id", "assignee_role", "kind"):
        value = getattr(wanted, name)
        if value is not None:
            conditions.append(task.c[name] == value)
    return conditions
