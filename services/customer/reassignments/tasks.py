"""Reassignments as jobs: a page of customers is a step."""

from typing import Any
from uuid import UUID

from services.customer.assignment.assigning import Assigner
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.conditions import CustomerFilter
from services.customer.customers.filtering import CustomerConditions
from services.customer.customers.lists import CustomerLists
from services.customer.customers.record import CustomerRecord
from services.customer.reassignments.schemas import KIND, ReassignmentCreate
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.jobs.work import Done, Going, HeldJob, JobKind, Step


class CustomerReassignment(JobKind):
    """Every customer of somebody whom the filter lets through goes to one of the others, in turn.

    Who is given to somebody else meanwhile is left to them.
    """

    name = KIND

    def __init__(self, *, page_size: int) -> None:
        self._page_size = page_size

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        """Move the next page; it needs no cursor, as who was moved is not in the list any more."""
        asked = {n: job.detail[n] for n in ReassignmentCreate.model_fields if n in job.detail}
        wanted = ReassignmentCreate.model_validate(asked)
        which = wanted.filter.model_dump(exclude_none=True)
        of_owner = CustomerConditions.model_validate({**which, "owner_id": [wanted.from_owner_id]})
        rows, _ = await CustomerLists(uow).page(
            None, CustomerFilter.of(of_owner), PageRequest(limit=self._page_size, cursor=None)
        )
        if not rows:
            return Done(done=job.done)
        moved = await _move(uow, job, wanted, [CustomerRecord.of(row).id for row in rows])
        return Going(done=job.done + moved)


async def _move(
    uow: UnitOfWork, job: HeldJob, wanted: ReassignmentCreate, customer_ids: list[UUID]
) -> int:
    changes = CustomerChanges(uow)
    await changes.lock(customer_ids)
    given: list[dict[str, Any]] = []
    for customer_id in customer_ids:
        if customer_id in changes and changes[customer_id].owner_id == wanted.from_owner_id:
            turn = (job.done + len(given)) % len(wanted.to_staff_ids)
            given.append(
                {
                    "customer_id": customer_id,
                    "from_owner_id": wanted.from_owner_id,
                    "to_owner_id": wanted.to_staff_ids[turn],
                    "rule_id": None,
                    "job_id": job.id,
                    "explanation": {"strategy": "reassignment"},
                }
            )
            changes.apply(customer_id, {"owner_id": wanted.to_staff_ids[turn]})
    await changes.save()
    await Assigner(uow).record(given)
    return len(given)
