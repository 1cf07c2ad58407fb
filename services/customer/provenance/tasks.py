"""Deciding anew of everybody as a job: a page of customers is a step."""

from uuid import UUID

from services.customer.customers.changes import CustomerChanges
from services.customer.customers.hearing import Hearing
from services.customer.following import pair_weighing
from services.customer.provenance.repository import ProvenanceRepository
from services.customer.provenance.schemas import KIND
from shared.db.unit_of_work import UnitOfWork
from shared.jobs.work import Done, Going, HeldJob, JobKind, Step

_BEFORE_ALL = UUID(int=0)


class PriorityApplication(JobKind):
    """Every customer of whom several sources have told, in the order of their ids."""

    name = KIND

    def __init__(self, *, page_size: int) -> None:
        self._page_size = page_size

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        """Decide of the next page, by what the shop has said last."""
        after = UUID(job.state["after"]) if "after" in job.state else _BEFORE_ALL
        rows = await ProvenanceRepository(uow).walk(after, self._page_size)
        if not rows:
            return Done(done=job.done)
        changes = CustomerChanges(uow)
        await changes.lock([row.id for row in rows if row.was_told])
        hearing = Hearing(uow, changes)
        for row in rows:
            if row.id in changes:
                await hearing.decide_again(row.id)
        await changes.save()
        await pair_weighing(uow).weigh_again(changes.compared_anew)
        return Going(done=job.done + len(rows), state={"after": str(rows[-1].id)})
