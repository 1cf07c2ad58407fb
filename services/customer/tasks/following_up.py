"""What an outcome gives rise to: the next task, and calls that need not be made any more."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from services.customer.colleagues.repository import ColleagueRepository
from services.customer.families.family import Families
from services.customer.outcomes.choosing import Outcomes, Subject
from services.customer.tasks.entries import new_task, task_entries
from services.customer.tasks.repository import TaskRepository
from services.customer.timeline.repository import TimelineRepository
from shared.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Something that has come to an outcome, and who had it."""

    id: UUID
    subject: Subject
    kind: str | None
    word: str | None
    customer_id: UUID | None
    staff_id: UUID | None
    role: str | None = None


class FollowUps:
    """Does what the shop has decided for an outcome, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._outcomes = Outcomes(uow)
        self._tasks = TaskRepository(uow)
        self._timeline = TimelineRepository(uow)
        self._colleagues = ColleagueRepository(uow)

    async def after(self, finished: Finished) -> None:
        """Make the next task, once for each outcome of something; call off what is pointless."""
        found = await self._outcomes.find(finished.subject, finished.kind, finished.word)
        if found is None:
            return
        families = Families(self._uow)
        members = await families.of_all([finished.customer_id] if finished.customer_id else [])
        if found.ends_calls:
            await self._call_off(members.keys(), finished)
        if found.follow_up_minutes is not None and not await families.erased(members):
            due_in = timedelta(minutes=found.follow_up_minutes)
            task: dict[str, Any] = {
                **new_task(self._uow, due_in=due_in),
                "customer_id": finished.customer_id,
                "kind": found.follow_up_kind,
                "title": found.follow_up_title or found.label["vi"],
                "note": None,
                "assignee_id": await self._at_work(finished.staff_id),
                "assignee_role": finished.role,
                "created_by": None,
                "ticket_id": None,
                "cause_id": uuid5(finished.id, found.key),
            }
            added = await self._tasks.add_caused([task])
            await self._timeline.add(task_entries(added, "task.created"))

    async def _at_work(self, staff_id: UUID | None) -> UUID | None:
        """The same, unless they have left: then the task is given to nobody in person."""
        if staff_id is None or not await self._colleagues.is_active(staff_id):
            return None
        return staff_id

    async def _call_off(self, member_ids: Collection[UUID], finished: Finished) -> None:
        called_off = await self._tasks.call_off(
            member_ids, but=finished.id, result_code=finished.word
        )
        await self._timeline.add(task_entries(called_off, "task.cancelled"))
