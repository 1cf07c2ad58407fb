"""Decisions about tasks."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from services.customer.colleagues.errors import UnknownStaff
from services.customer.colleagues.repository import ColleagueRepository
from services.customer.customers.record import CustomerRecord
from services.customer.customers.repository import CustomerRepository
from services.customer.families.family import Families
from services.customer.outcomes.choosing import Outcomes
from services.customer.tasks.entries import new_task, task_entries
from services.customer.tasks.following_up import Finished, FollowUps
from services.customer.tasks.repository import TaskFilter, TaskRepository
from services.customer.tasks.schemas import CallRead, TaskCreate, TaskPatch
from services.customer.timeline.repository import TimelineRepository
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.web.resources import check_version

_NOBODY: Final = UUID(int=0)
_WORDS: Final = frozenset({"title", "note"})


class TaskService:
    """What clients can do with tasks, as far as they see them."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        tasks: TaskRepository,
        customers: CustomerRepository,
        families: Families,
        colleagues: ColleagueRepository,
        timeline: TimelineRepository,
    ) -> None:
        self._uow = uow
        self._tasks = tasks
        self._customers = customers
        self._families = families
        self._colleagues = colleagues
        self._timeline = timeline

    async def create(self, given: TaskCreate, *, created_by: UUID | None) -> Row[*tuple[Any, ...]]:
        """A new open task. Raises CustomerNotFound, CustomerIsErased, UnknownStaff."""
        if given.customer_id is not None:
            await self._customers.get_unerased(given.customer_id)
        await self._require_assignee(given.assignee_id)
        columns = {**new_task(self._uow), **given.model_dump(), "created_by": created_by}
        if "reminder_at" not in given.model_fields_set:
            columns["reminder_at"] = given.due_at
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
        if wanted.customer_id is not None:
            members = await self._families.of_all([wanted.customer_id])
            wanted = replace(wanted, member_ids=members.keys())
        return await self._tasks.page(wanted, request)

    async def calls(
        self, staff_id: UUID, request: PageRequest
    ) -> tuple[Sequence[CallRead], str | None]:
        """A page of the calls that somebody has to make, in their order, and the next cursor."""
        rows, cursor = await self._tasks.calls(staff_id, request)
        named = {row.customer_id for row in rows if row.customer_id is not None}
        roots = await self._families.roots(named)
        people = await self._tasks.people(set(roots.values()))
        calls = [_call(row, people.get(roots.get(row.customer_id, _NOBODY))) for row in rows]
        return calls, cursor

    async def change(
        self, task_id: UUID, given: TaskPatch, *, expected_version: int | None
    ) -> Row[*tuple[Any, ...]]:
        """The task after the change.

        Raises TaskNotFound, PreconditionFailed, UnknownStaff, OutcomeNotDefined; CustomerIsErased
        when there are new words.
        """
        before = await self._tasks.get(task_id, lock=True)
        check_version(before.version, expected_version)
        said = given.model_dump(exclude_unset=True)
        changes = {name: new for name, new in said.items() if getattr(before, name) != new}
        if not changes:
            return before
        if before.customer_id is not None and _WORDS & changes.keys():
            # Whoever sees the task may write, whether or not they see whose it is.
            await CustomerRepository(self._uow).get_unerased(before.customer_id)
        await self._require_assignee(changes.get("assignee_id"))
        word = changes.get("result_code")
        await Outcomes(self._uow).check("/body/result_code", "task", before.kind, word)
        now = self._uow.clock.now()
        if (
            "due_at" in changes
            and "reminder_at" not in said
            and before.reminder_at == before.due_at
        ):
            changes["reminder_at"] = changes["due_at"]
        if "reminder_at" in changes:
            changes["reminded_at"] = None
        if "status" in changes:
            changes["done_at"] = now if changes["status"] == "done" else None
        after = await self._tasks.save(task_id, {**changes, "updated_at": now})
        if "status" in changes and after.status != "open":
            await self._timeline.add(task_entries([after], f"task.{after.status}"))
        if {"status", "result_code"} & changes.keys() and after.status != "open":
            await self._follow_up(after)
        return after

    async def _require_assignee(self, staff_id: UUID | None) -> None:
        if staff_id is not None and not await self._colleagues.is_active(staff_id):
            raise UnknownStaff("/body/assignee_id")

    async def _follow_up(self, row: Row[*tuple[Any, ...]]) -> None:
        finished = Finished(
            id=row.id,
            subject="task",
            kind=row.kind,
            word=row.result_code,
            customer_id=row.customer_id,
            staff_id=row.assignee_id,
            role=row.assignee_role,
        )
        await FollowUps(self._uow).after(finished)


def _call(row: Row[*tuple[Any, ...]], person: CustomerRecord | None) -> CallRead:
    refuses = person is not None and any(
        (consent["purpose"], consent["channel"], consent["status"]) == ("care", "call", "withdrawn")
        for consent in person.consents
    )
    rests = person is not None and person.restricted_at is not None
    phone = person.phone if person is not None else None
    return CallRead.model_validate(
        {
            **row._mapping,
            "customer_code": person.code if person is not None else None,
            "customer_name": person.name if person is not None else None,
            "customer_phone": phone,
            "may_call": phone is not None and not (refuses or rests),
        }
    )
