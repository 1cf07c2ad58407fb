"""Exports as jobs: a page of customers is a step, and a part of the file."""

from collections.abc import Iterator, Sequence
from typing import Any

from services.customer.customers.calendar import Calendar
from services.customer.customers.lists import CustomerLists
from services.customer.customers.record import CustomerRecord
from services.customer.customers.selection import Selection
from services.customer.exports.rendering import (
    MEDIA_TYPES,
    Layout,
    as_csv,
    as_json_lines,
    as_rows,
)
from services.customer.exports.schemas import KIND, ExportCreate
from services.customer.exports.workbook import MOST_ROWS, Workbook
from services.customer.fields.repository import FieldRepository
from services.customer.tenants.shops import Shops
from shared.audit.trail import SENSITIVE
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.jobs.errors import GivenUp
from shared.jobs.files import MAX_PART_BYTES, JobFiles
from shared.jobs.work import Done, Going, HeldJob, JobKind, Step


class CustomerExport(JobKind):
    """Every customer that the filter lets through, in the order that was asked for.

    Who comes while it runs is not in the file; who is changed is in it as found.
    """

    name = KIND

    def __init__(self, *, schema: str, page_size: int) -> None:
        self._schema = schema
        self._page_size = page_size
        self._shops = Shops()

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        """Write the next page into the file."""
        wanted = _asked(job)
        shop = await self._shops.of(uow)
        keys = job.state["keys"] if job.state else await _keys(uow)
        selection = Selection(
            uow, given=wanted.filter, questions=wanted.filter.questions(), sees_personal=True
        )
        rows, following = await CustomerLists(uow).page(
            None,
            await selection.wanted(currency=shop.currency),
            PageRequest(limit=self._page_size, cursor=job.state.get("cursor")),
            sort=await selection.sort(wanted.sort),
        )
        records = [CustomerRecord.of(row) for row in rows]
        layout = Layout(keys, Calendar.of(shop, uow.clock.now()))
        content, book = _rendered(records, wanted, layout, job.state, is_last=following is None)
        await self._write(uow, job, wanted, content, rows=len(records))
        done = job.done + len(records)
        if following is None:
            return Done(done=done, detail=await _sensitive(uow))
        return Going(done=done, state={"cursor": following, "keys": keys, "book": book})

    async def _write(
        self, uow: UnitOfWork, job: HeldJob, wanted: ExportCreate, content: bytes, *, rows: int
    ) -> None:
        files = JobFiles(uow, schema=self._schema)
        for number, part in enumerate(_parts(content)):
            await files.write(
                job,
                "result",
                part,
                rows=0 if number else rows,
                file_name=f"customers.{wanted.format}",
                media_type=MEDIA_TYPES[wanted.format],
            )

    async def clean_up(self, uow: UnitOfWork, job: HeldJob) -> None:
        """Half a file is of no use to anybody."""
        await JobFiles(uow, schema=self._schema).forget(job.id)
        job.files.clear()


def _asked(job: HeldJob) -> ExportCreate:
    """What the job was started with; its detail holds more than that."""
    asked = {name: job.detail[name] for name in ExportCreate.model_fields if name in job.detail}
    return ExportCreate.model_validate(asked)


async def _keys(uow: UnitOfWork) -> list[str]:
    """The fields that are columns, from the first page to the last."""
    fields = await FieldRepository(uow).all()
    return [field.key for field in fields if field.archived_at is None]


async def _sensitive(uow: UnitOfWork) -> dict[str, list[str]]:
    """The shop's sensitive fields, which the audit log names for whoever takes the file."""
    marks = await FieldRepository(uow).marks()
    named = sorted(f"attributes.{key}" for key, mark in marks.items() if mark == "sensitive")
    return {SENSITIVE: named} if named else {}


def _rendered(
    records: Sequence[CustomerRecord],
    wanted: ExportCreate,
    layout: Layout,
    state: dict[str, Any],
    *,
    is_last: bool,
) -> tuple[bytes, dict[str, Any] | None]:
    """The lines of a page, and what the next page must know of them."""
    is_first = not state
    if wanted.format == "csv":
        return as_csv(records, layout, is_first=is_first), None
    if wanted.format != "xlsx":
        return as_json_lines(records, layout), None
    book = Workbook.begun() if is_first else Workbook.taken_up(state["book"])
    book = as_rows(records, layout, book, is_first=is_first)
    if book.rows > MOST_ROWS:
        raise GivenUp("too_many_rows")
    if is_last:
        book = book.ended()
    return book.content, book.state


def _parts(content: bytes) -> Iterator[bytes]:
    """As much as is written at once; one part at least, so that there is a file."""
    for start in range(0, max(len(content), 1), MAX_PART_BYTES):
        yield content[start : start + MAX_PART_BYTES]
