"""Exports as jobs: a page of customers is a step, and a part of the file."""

from services.customer.customers.lists import CustomerFilter, CustomerLists
from services.customer.customers.record import CustomerRecord
from services.customer.exports.rendering import MEDIA_TYPES, rendered
from services.customer.exports.schemas import KIND, ExportCreate
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.jobs.files import JobFiles
from shared.jobs.work import Done, Going, HeldJob, JobKind, Step


class CustomerExport(JobKind):
    """Every customer that the filter lets through, the newest first.

    Who comes while it runs is not in the file; who is changed is in it as found.
    """

    name = KIND

    def __init__(self, *, schema: str, page_size: int) -> None:
        self._schema = schema
        self._page_size = page_size

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        """Write the next page into the file."""
        wanted = _asked(job)
        cursor: str | None = job.state.get("cursor")
        rows, following = await CustomerLists(uow).page(
            None,
            CustomerFilter(**wanted.filter.model_dump()),
            PageRequest(limit=self._page_size, cursor=cursor),
        )
        records = [CustomerRecord.of(row) for row in rows]
        await JobFiles(uow, schema=self._schema).write(
            job,
            "result",
            rendered(records, wanted.format, is_first=cursor is None),
            rows=len(records),
            file_name=f"customers.{wanted.format}",
            media_type=MEDIA_TYPES[wanted.format],
        )
        done = job.done + len(records)
        if following is None:
            return Done(done=done)
        return Going(done=done, state={"cursor": following})

    async def clean_up(self, uow: UnitOfWork, job: HeldJob) -> None:
        """Half a file is of no use to anybody."""
        await JobFiles(uow, schema=self._schema).forget(job.id)
        job.files.clear()


def _asked(job: HeldJob) -> ExportCreate:
    """What the job was started with; its detail holds more than that."""
    asked = {name: job.detail[name] for name in ExportCreate.model_fields if name in job.detail}
    return ExportCreate.model_validate(asked)
