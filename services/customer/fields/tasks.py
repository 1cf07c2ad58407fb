"""Reading what customers had before a field was defined, as jobs: a stretch of them is a step."""

from typing import Final
from uuid import UUID

from services.customer.fields.errors import CustomFieldNotFound
from services.customer.fields.keeping import FieldValues
from services.customer.fields.repository import FieldRepository
from services.customer.fields.schemas import REBUILD
from shared.db.unit_of_work import UnitOfWork
from shared.jobs.work import Done, Going, HeldJob, JobKind, Step

_NOBODY: Final = UUID(int=0)


class CustomFieldRebuild(JobKind):
    """Every customer who has something under the key of a field gets a value, or a misfit.

    Who writes attributes meanwhile keeps the values themselves; both ways lead to the same.
    """

    name = REBUILD

    def __init__(self, *, page_size: int) -> None:
        self._page_size = page_size

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        """Read the next stretch of customers."""
        fields = FieldRepository(uow)
        total = job.total if job.state else await fields.count_customers()
        misfits = job.state.get("misfits", 0)
        try:
            field = await fields.get(UUID(job.detail["field_id"]))
        except CustomFieldNotFound:
            return Done(done=job.done)
        after_id = UUID(job.state["after_id"]) if job.state else _NOBODY
        count, last_id, holders = await fields.walk(
            field.key, after_id=after_id, at_most=self._page_size
        )
        misfits += await FieldValues(uow).keep_field(field, holders)
        if last_id is None:
            return Done(done=job.done, detail={"misfits": misfits})
        state = {"after_id": str(last_id), "misfits": misfits}
        return Going(done=job.done + count, total=total, state=state)
