"""Moving customers, and what is to be done for them, from one member of staff to others."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row

from services.customer.appointments.repository import AppointmentRepository
from services.customer.assignment.assigning import Assigner
from services.customer.customers.changes import CustomerChanges
from services.customer.families.family import Families
from services.customer.tasks.repository import TaskRepository
from shared.db.unit_of_work import UnitOfWork

Belonging = Literal["tasks", "appointments"]
_Row = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Move:
    """Whose, and why: the job that moves, and what it is called in the log."""

    from_id: UUID
    job_id: UUID
    explanation: Mapping[str, Any]


class Moving:
    """Moves inside one unit of work, and logs each thing that has moved."""

    def __init__(self, uow: UnitOfWork, move: Move) -> None:
        self._uow = uow
        self._move = move
        self._tasks = TaskRepository(uow)
        self._appointments = AppointmentRepository(uow)

    async def customers(self, heirs: Mapping[UUID, UUID], along: Collection[Belonging]) -> int:
        """Give these customers to their heirs, with what is named; how many have moved.

        Who is given to somebody else meanwhile is left to them.
        """
        changes = CustomerChanges(self._uow)
        await changes.lock(heirs)
        moved = {
            customer_id: heir
            for customer_id, heir in heirs.items()
            if customer_id in changes and changes[customer_id].owner_id == self._move.from_id
        }
        for customer_id, heir in moved.items():
            changes.apply(customer_id, {"owner_id": heir})
        await changes.save()
        log = [self._entry(customer_id, heir) for customer_id, heir in moved.items()]
        members = await Families(self._uow).of_all(moved)
        records = {member: moved[root] for member, root in members.items()}
        if "tasks" in along:
            rows = await self._tasks.hand_over(self._move.from_id, records)
            log += [self._of_task(row) for row in rows]
        if "appointments" in along:
            await self._lock_staff(records.values())
            rows = await self._appointments.hand_over(self._move.from_id, records)
            log += [self._of_appointment(row) for row in rows]
        await Assigner(self._uow).record(log)
        return len(moved)

    async def tasks(self, heirs: Mapping[UUID, UUID]) -> int:
        """Give these open tasks to their heirs; how many have moved."""
        rows = await self._tasks.hand_over_these(self._move.from_id, heirs)
        await Assigner(self._uow).record([self._of_task(row) for row in rows])
        return len(rows)

    async def appointments(self, heirs: Mapping[UUID, UUID]) -> int:
        """Give these planned appointments to their heirs; how many have moved."""
        await self._lock_staff(heirs.values())
        rows = await self._appointments.hand_over_these(self._move.from_id, heirs)
        await Assigner(self._uow).record([self._of_appointment(row) for row in rows])
        return len(rows)

    async def _lock_staff(self, staff_ids: Collection[UUID]) -> None:
        """Nobody books them meanwhile, so that what overlaps is seen."""
        for staff_id in sorted(set(staff_ids)):
            await self._appointments.lock_staff(staff_id)

    def _of_task(self, row: _Row) -> dict[str, Any]:
        entry = self._entry(row.customer_id, row.assignee_id)
        return {**entry, "subject": "task", "subject_id": row.id}

    def _of_appointment(self, row: _Row) -> dict[str, Any]:
        entry = self._entry(row.customer_id, row.staff_id)
        return {**entry, "subject": "appointment", "subject_id": row.id}

    def _entry(self, customer_id: UUID | None, heir: UUID) -> dict[str, Any]:
        return {
            "customer_id": customer_id,
            "from_owner_id": self._move.from_id,
            "to_owner_id": heir,
            "rule_id": None,
            "job_id": self._move.job_id,
            "explanation": dict(self._move.explanation),
        }


def in_turn(ids: Sequence[UUID], staff_ids: Sequence[UUID], *, after: int) -> dict[UUID, UUID]:
    """Who gets what, when so many were given before."""
    return {each: staff_ids[(after + n) % len(staff_ids)] for n, each in enumerate(ids)}
