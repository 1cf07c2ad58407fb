"""Reassignments as jobs: a page is a step."""

from collections import defaultdict
from uuid import UUID

from services.customer.appointments.repository import AppointmentRepository
from services.customer.assignment.repository import AssignmentRepository
from services.customer.customers.conditions import CustomerFilter
from services.customer.customers.filtering import CustomerConditions
from services.customer.customers.lists import CustomerLists
from services.customer.customers.record import CustomerRecord
from services.customer.reassignments.moving import Move, Moving, in_turn
from services.customer.reassignments.schemas import KIND, UNDO_KIND, ReassignmentCreate
from services.customer.tasks.repository import TaskRepository
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.jobs.work import Done, Going, HeldJob, JobKind, Step


class CustomerReassignment(JobKind):
    """Every customer of somebody whom the filter lets through goes to one of the others, in turn.

    What is to be done for them goes along as it is asked for; who hands over everything gives away
    what they have to do for others, too. Who is given to somebody else meanwhile is left to them.
    """

    name = KIND

    def __init__(self, *, page_size: int) -> None:
        self._page_size = page_size

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        """Move the next page; it needs no cursor, as what was moved is not in the list any more."""
        asked = {n: job.detail[n] for n in ReassignmentCreate.model_fields if n in job.detail}
        wanted = ReassignmentCreate.model_validate(asked)
        move = Move(wanted.from_owner_id, job.id, {"strategy": "reassignment"})
        moving, staff = Moving(uow, move), wanted.to_staff_ids
        found = await self._customers(uow, wanted)
        if found:
            heirs = in_turn(found, staff, after=job.done)
            return Going(done=job.done + await moving.customers(heirs, wanted.hand_over))
        if job.detail.get("everything"):
            tasks = await TaskRepository(uow).open_of(wanted.from_owner_id, self._page_size)
            if tasks:
                heirs = in_turn(tasks, staff, after=job.done)
                return Going(done=job.done + await moving.tasks(heirs))
            coming = await AppointmentRepository(uow).coming_of(
                wanted.from_owner_id, self._page_size
            )
            if coming:
                heirs = in_turn(coming, staff, after=job.done)
                return Going(done=job.done + await moving.appointments(heirs))
        return Done(done=job.done)

    async def _customers(self, uow: UnitOfWork, wanted: ReassignmentCreate) -> list[UUID]:
        which = wanted.filter.model_dump(exclude_none=True)
        of_owner = CustomerConditions.model_validate({**which, "owner_id": [wanted.from_owner_id]})
        rows, _ = await CustomerLists(uow).page(
            None,
            CustomerFilter.of(of_owner, at=uow.clock.now()),
            PageRequest(limit=self._page_size, cursor=None),
        )
        return [CustomerRecord.of(row).id for row in rows]


class ReassignmentUndo(JobKind):
    """What a reassignment has moved goes back, as far as it is still where it went."""

    name = UNDO_KIND

    def __init__(self, *, page_size: int) -> None:
        self._page_size = page_size

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        """Give back what the next page of the log tells of."""
        undone_id = UUID(job.detail["reassignment_job_id"])
        after = UUID(job.state["after"]) if "after" in job.state else None
        log = AssignmentRepository(uow)
        rows = await log.moved_by(undone_id, after=after, at_most=self._page_size)
        if not rows:
            return Done(done=job.done)
        given: dict[tuple[str, UUID], dict[UUID, UUID]] = defaultdict(dict)
        for row in rows:
            thing_id = row.subject_id or row.customer_id
            given[row.subject, row.to_owner_id][thing_id] = row.from_owner_id
        moved = 0
        explanation = {"strategy": "undo", "job_id": str(undone_id)}
        for (subject, heir), back in sorted(given.items()):
            moving = Moving(uow, Move(heir, job.id, explanation))
            match subject:
                case "customer":
                    moved += await moving.customers(back, ())
                case "task":
                    moved += await moving.tasks(back)
                case _:
                    moved += await moving.appointments(back)
        return Going(done=job.done + moved, state={"after": str(rows[-1].id)})
