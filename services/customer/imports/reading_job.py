"""Reading the file of an import as a job."""

import asyncio
from typing import Any

from services.customer.imports.errors import FileNotReadable
from services.customer.imports.file_repository import ImportFileRepository
from services.customer.imports.reading import MOST_ROWS, FileReader, chunks_of
from services.customer.imports.repository import Import, ImportRepository
from services.customer.imports.stages import READING, import_id
from services.customer.tenants.shops import Shops
from shared.db.unit_of_work import UnitOfWork
from shared.jobs.errors import GivenUp
from shared.jobs.schemas import JobRead
from shared.jobs.work import Done, Going, HeldJob, JobKind, Step


class ImportReadingJob(JobKind):
    """Finds out what is in the file, and keeps its rows in portions."""

    name = READING

    def __init__(self, *, chunk: int, shops: Shops) -> None:
        self._chunk = chunk
        self._shops = shops
        self._reader = FileReader()

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        """Read the head, or the next rows."""
        if "fault" in job.state:
            raise GivenUp(job.state["fault"])
        imports = ImportRepository(uow)
        found = await imports.get(import_id(job), lock=True)
        try:
            if "row" not in job.state:
                return await self._read_head(uow, imports, found)
            return await self._read_rows(uow, imports, found, job)
        except FileNotReadable as error:
            # Told first, and then given up: what is given up is undone.
            self._reader.forget(uow.tenant_id, found.id)
            await imports.save(found.id, {"error": {"code": error.code, "row": error.row}})
            return Going(state={**job.state, "fault": error.code})

    async def clean_up(self, uow: UnitOfWork, job: HeldJob) -> None:
        """Without its rows there is nothing to be done with it."""
        self._reader.forget(uow.tenant_id, import_id(job))
        await ImportFileRepository(uow).forget_chunks(import_id(job))
        status = "cancelled" if job.is_cancelled else "failed"
        gone = {"status": status, "rows": 0, "chunks": 0}
        await ImportRepository(uow).save(import_id(job), gone)

    def may_retry(self, _job: JobRead) -> bool:
        """It is sent or configured anew instead."""
        return False

    async def _read_head(self, uow: UnitOfWork, imports: ImportRepository, found: Import) -> Step:
        shop = await self._shops.of(uow)
        head = await self._reader.head(ImportFileRepository(uow), found, region=shop.country)
        mapping = [
            {"column": column.name, "target": column.suggestion, "strict": False}
            for column in head.columns
            if column.suggestion is not None
        ]
        told = {
            "reading": head.reading,
            "columns": [column.as_json() for column in head.columns],
            "mapping": mapping,
        }
        await imports.save(found.id, told)
        return Going(done=0, state={"row": 0, "piece": 0, "offset": 0})

    async def _read_rows(
        self, uow: UnitOfWork, imports: ImportRepository, found: Import, job: HeldJob
    ) -> Step:
        files = ImportFileRepository(uow)
        portion = await self._reader.portion(files, found, job.state)
        header = found.reading["header_row"]
        rows = [(row, cells) for row, cells in portion.rows if row > header]
        count, chunks = found.rows + len(rows), found.chunks
        if count > MOST_ROWS:
            raise FileNotReadable("too_many_rows", row=rows[-1][0])
        for content, size in await asyncio.to_thread(chunks_of, rows, size=self._chunk):
            await files.add_chunk(found.id, chunks, content, rows=size)
            chunks += 1
        changes: dict[str, Any] = {"rows": count, "chunks": chunks}
        if portion.state is not None:
            await imports.save(found.id, changes)
            return Going(done=count, state=portion.state)
        if count == 0:
            raise FileNotReadable("no_rows")
        await imports.save(found.id, {**changes, "status": "ready"})
        return Done(done=count)
