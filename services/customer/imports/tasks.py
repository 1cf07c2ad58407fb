"""Imports as jobs: reading the file, trying it out, taking it in, taking it back.

A step is a batch of rows in one transaction, with what is known of how far the job has come; so a
worker that is killed leaves nothing half, and another goes on exactly there.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from services.customer.addresses.placing import AddressReader
from services.customer.addresses.units import units
from services.customer.imports.chunks import unpacked
from services.customer.imports.errors import FileNotReadable
from services.customer.imports.outcomes import counted, no_counts, rendered, rendered_undo
from services.customer.imports.plan import ImportPlan, RowOutcome
from services.customer.imports.reading import MOST_ROWS, FileReader, chunks_of
from services.customer.imports.repository import Import, ImportRepository
from services.customer.imports.rows import Mapped, RowRead, RowReader, Rules
from services.customer.imports.stages import DRY_RUN, READING, RUN, UNDO
from services.customer.imports.taking_in import RowIntake
from services.customer.imports.undoing import ImportUndoing
from services.customer.tenants.shops import Shop, Shops
from shared.audit.trail import Actor, AuditEntry
from shared.contracts.audit import AuditSubject
from shared.db.codes import CodeAllocator
from shared.db.sweeps import in_every_tenant
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId
from shared.jobs.errors import GivenUp
from shared.jobs.files import JobFiles
from shared.jobs.schemas import JobRead
from shared.jobs.work import Done, Going, HeldJob, JobKind, Step
from shared.queue.worker import Periodic

LISTING: Final = "tenants_with_import_files"
_FORGET_SECONDS: Final = 1800.0
_MEDIA_TYPE: Final = "text/csv; charset=utf-8"
_LAST_ROW: Final = 2**31 - 1
_TRIED_TOGETHER: Final = 20_000
_ONE_DAY: Final = timedelta(days=1)
_AT_WORK: Final = frozenset({"reading", "checking", "running", "undoing"})
_WAITING: Final = frozenset({"uploading", "ready"})


class ImportReadingJob(JobKind):
    """Finds out what is in the file, and keeps its rows in portions."""

    name = READING

    def __init__(self, *, chunk: int, shops: Shops) -> None:
        self._chunk = chunk
        self._shops = shops
        self._files = FileReader()

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        """Read the head, or the next rows."""
        if "fault" in job.state:
            raise GivenUp(job.state["fault"])
        imports = ImportRepository(uow)
        found = await imports.get(_import_id(job), lock=True)
        try:
            if "row" not in job.state:
                return await self._read_head(uow, imports, found)
            return await self._read_rows(imports, found, job)
        except FileNotReadable as error:
            # Told first, and then given up: what is given up is undone.
            self._files.forget(uow.tenant_id, found.id)
            await imports.save(found.id, {"error": {"code": error.code, "row": error.row}})
            return Going(state={**job.state, "fault": error.code})

    async def clean_up(self, uow: UnitOfWork, job: HeldJob) -> None:
        """Without its rows there is nothing to be done with it."""
        self._files.forget(uow.tenant_id, _import_id(job))
        imports = ImportRepository(uow)
        await imports.forget_chunks(_import_id(job))
        status = "cancelled" if job.is_cancelled else "failed"
        await imports.save(_import_id(job), {"status": status, "rows": 0, "chunks": 0})

    def may_retry(self, _job: JobRead) -> bool:
        """It is sent or configured anew instead."""
        return False

    async def _read_head(self, uow: UnitOfWork, imports: ImportRepository, found: Import) -> Step:
        shop = await self._shops.of(uow)
        head = await self._files.head(imports, found, region=shop.country)
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

    async def _read_rows(self, imports: ImportRepository, found: Import, job: HeldJob) -> Step:
        portion = await self._files.portion(imports, found, job.state)
        header = found.reading["header_row"]
        rows = [(row, cells) for row, cells in portion.rows if row > header]
        count, chunks = found.rows + len(rows), found.chunks
        if count > MOST_ROWS:
            raise FileNotReadable("too_many_rows", row=rows[-1][0])
        for content, size in await asyncio.to_thread(chunks_of, rows, size=self._chunk):
            await imports.add_chunk(found.id, chunks, content, rows=size)
            chunks += 1
        changes: dict[str, Any] = {"rows": count, "chunks": chunks}
        if portion.state is not None:
            await imports.save(found.id, changes)
            return Going(done=count, state=portion.state)
        if count == 0:
            raise FileNotReadable("no_rows")
        await imports.save(found.id, {**changes, "status": "ready"})
        return Done(done=count)


class _Intake:
    """What a dry run and the run have in common: a portion of the file, and what becomes of it."""

    def __init__(self, *, schema: str, codes: CodeAllocator, shops: Shops) -> None:
        self._schema = schema
        self._codes = codes
        self._shops = shops
        self._units = units()
        self._addresses = AddressReader(self._units)
        self._ahead: dict[tuple[UUID, int], asyncio.Task[list[RowRead]]] = {}

    async def take_in(
        self, uow: UnitOfWork, job: HeldJob, found: Import, *, is_dry: bool
    ) -> tuple[list[RowOutcome], int] | None:
        """What became of the next portion, and how many pairs look alike; None after the last."""
        shop = await self._shops.of(uow)
        rows = await self._portion(uow, job, found, shop)
        if rows is None:
            return None
        intake = RowIntake(
            uow=uow,
            codes=self._codes,
            shop=shop,
            units=self._units,
            addresses=self._addresses,
            plan=_plan(found, is_dry=is_dry),
        )
        outcomes = await intake.take_in(rows)
        await JobFiles(uow, schema=self._schema).write(
            job,
            "result",
            rendered(outcomes, is_first="result" not in job.files),
            rows=len(outcomes),
            file_name="outcome.csv",
            media_type=_MEDIA_TYPE,
        )
        return outcomes, intake.look_alikes

    async def _portion(
        self, uow: UnitOfWork, job: HeldJob, found: Import, shop: Shop
    ) -> list[RowRead] | None:
        """The rows of the portion, read while the one before it was taken in, where that was here.

        From now on the next one is read, in a thread: much of a step is waiting for the server.
        """
        at = job.state["chunk"]
        reading = self._ahead.pop((job.id, at), None) or await self._begin(uow, found, shop, at)
        if reading is None:
            return None
        self._ahead.clear()
        following = await self._begin(uow, found, shop, at + 1)
        if following is not None:
            self._ahead[job.id, at + 1] = following
        return await reading

    async def _begin(
        self, uow: UnitOfWork, found: Import, shop: Shop, at: int
    ) -> asyncio.Task[list[RowRead]] | None:
        content = await ImportRepository(uow).chunk(found.id, at)
        if content is None:
            return None
        reader = _row_reader(found, shop, uow)
        return asyncio.create_task(asyncio.to_thread(_read, reader, content))


class ImportDryRun(JobKind):
    """Finds out what would become of every row, by the very code of the run."""

    name = DRY_RUN

    def __init__(self, *, schema: str, codes: CodeAllocator, shops: Shops) -> None:
        self._intake = _Intake(schema=schema, codes=codes, shops=shops)

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        """Try the next portion; in the end, forget what was tried."""
        imports = ImportRepository(uow)
        found = await imports.get(_import_id(job), lock=True)
        if "slice" in job.state:
            return await self._forget(imports, found, job)
        taken = await self._intake.take_in(uow, job, found, is_dry=True)
        if taken is None:
            return Going(state={**job.state, "slice": 0})
        outcomes, look_alikes = taken
        counts = counted(job.state["counts"], outcomes, look_alikes=look_alikes)
        await imports.save(found.id, {"dry_run": counts})
        state = {"chunk": job.state["chunk"] + 1, "counts": counts}
        return Going(done=job.done + len(outcomes), state=state)

    async def clean_up(self, uow: UnitOfWork, job: HeldJob) -> None:
        """Nothing has changed: it can be run, or tried again."""
        imports = ImportRepository(uow)
        await imports.forget_tried(_import_id(job), slice_=0, of=1)
        await imports.save(_import_id(job), {"status": "ready", "dry_run": None})

    def may_retry(self, _job: JobRead) -> bool:
        """The import itself is asked again."""
        return False

    async def _forget(self, imports: ImportRepository, found: Import, job: HeldJob) -> Step:
        slices = found.rows // _TRIED_TOGETHER + 1
        at = job.state["slice"]
        await imports.forget_tried(found.id, slice_=at, of=slices)
        if at + 1 < slices:
            return Going(state={**job.state, "slice": at + 1})
        await imports.save(found.id, {"status": "ready"})
        return Done(detail={"counts": _figures(found.dry_run)})


class ImportRun(JobKind):
    """Takes in every row."""

    name = RUN

    def __init__(self, *, schema: str, codes: CodeAllocator, shops: Shops) -> None:
        self._intake = _Intake(schema=schema, codes=codes, shops=shops)

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        """Take in the next portion."""
        imports = ImportRepository(uow)
        found = await imports.get(_import_id(job), lock=True)
        _act_for(uow, found, action="imports.run")
        taken = await self._intake.take_in(uow, job, found, is_dry=False)
        if taken is None:
            await imports.forget_pieces(found.id)
            await imports.forget_chunks(found.id)
            done = {"status": "finished", "files_expire_at": None}
            await imports.save(found.id, done)
            return Done(detail={"counts": _figures(found.run)})
        outcomes, look_alikes = taken
        chunk = job.state["chunk"] + 1
        counts = counted(found.run or no_counts(), outcomes, look_alikes=look_alikes)
        await imports.save(found.id, {"run": {**counts, "chunks": chunk}})
        uow.record(
            AuditEntry(
                [AuditSubject(object="import", id=str(found.id))],
                detail={"rows": counts["rows"], "created": counts["created"]},
            )
        )
        return Going(done=counts["rows"], state={"chunk": chunk})

    async def clean_up(self, uow: UnitOfWork, job: HeldJob) -> None:
        """What is taken in stays, and the rest can be taken in later."""
        status = "cancelled" if job.is_cancelled else "failed"
        changes: dict[str, Any] = {"status": status}
        if not job.is_cancelled:
            changes["error"] = {"code": "not_taken_in", "row": None}
        imports = ImportRepository(uow)
        found = await imports.get(_import_id(job), lock=True)
        if found.run is None:
            changes["run"] = {**no_counts(), "chunks": 0}
        await imports.save(found.id, changes)

    def may_retry(self, _job: JobRead) -> bool:
        """The import itself is run again."""
        return False


class ImportUndo(JobKind):
    """Takes every row back, the last first."""

    name = UNDO

    def __init__(self, *, schema: str, page: int) -> None:
        self._schema = schema
        self._page = page

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        """Take back the rows before those of the last step."""
        imports = ImportRepository(uow)
        found = await imports.get(_import_id(job), lock=True)
        _act_for(uow, found, action="imports.undo")
        before = job.state.get("before", _LAST_ROW)
        rows = await imports.to_undo(found.id, before=before, at_most=self._page)
        if not rows:
            await imports.save(found.id, {"status": "undone"})
            return Done()
        undoing = ImportUndoing(uow, import_id=found.id, source=found.source)
        undone = await undoing.undo(rows)
        told = found.undo or {
            "rows": 0,
            **dict.fromkeys(("removed", "restored", "partly", "kept"), 0),
        }
        counts = {**told, "rows": told["rows"] + len(rows)}
        for word in undone.values():
            counts[word] += 1
        await imports.save(found.id, {"undo": counts})
        lines = [
            (
                *(row.row, row.outcome, undone[row.row], row.customer_id or "", row.code or ""),
                ", ".join(undoing.kept_fields.get(row.row, ())),
            )
            for row in rows
            if row.row in undone
        ]
        await JobFiles(uow, schema=self._schema).write(
            job,
            "result",
            rendered_undo(lines, is_first="result" not in job.files),
            rows=len(lines),
            file_name="undone.csv",
            media_type=_MEDIA_TYPE,
        )
        return Going(done=counts["rows"], state={"before": rows[-1].row})

    async def clean_up(self, uow: UnitOfWork, job: HeldJob) -> None:
        """What is taken back stays so, and the rest can be taken back later."""
        imports = ImportRepository(uow)
        found = await imports.get(_import_id(job), lock=True)
        was_whole = found.run is not None and found.run["chunks"] >= found.chunks
        await imports.save(found.id, {"status": "finished" if was_whole else "cancelled"})

    def may_retry(self, _job: JobRead) -> bool:
        """The import itself is undone again."""
        return False


class ImportFiles:
    """Forgets files that were sent and never taken in."""

    def __init__(self, units_of_work: UnitsOfWork) -> None:
        self._units = units_of_work

    async def forget(self) -> None:
        """Delete the files whose time has come."""
        await in_every_tenant(self._units, LISTING, self._forget_of)

    async def _forget_of(self, tenant_id: TenantId) -> None:
        async with self._units.begin(tenant_id) as uow:
            imports = ImportRepository(uow)
            for import_id in await imports.expired():
                found = await imports.get(import_id, lock=True)
                if found.status in _AT_WORK:
                    later = uow.clock.now() + _ONE_DAY
                    await imports.save(import_id, {"files_expire_at": later})
                    continue
                await imports.forget_pieces(import_id)
                await imports.forget_chunks(import_id)
                status = "cancelled" if found.status in _WAITING else found.status
                gone = {"files_expire_at": None, "chunks": 0, "status": status}
                await imports.save(import_id, gone)
            await uow.commit()


def import_files_sweep(files: ImportFiles) -> Periodic:
    """Files are not kept for ever."""
    return Periodic("imports.forget", _FORGET_SECONDS, files.forget)


def _import_id(job: HeldJob) -> UUID:
    return UUID(job.detail["import_id"])


def _act_for(uow: UnitOfWork, found: Import, *, action: str) -> None:
    """What is done is done for whoever began the import."""
    uow.act_for(Actor(found.started_by["kind"], found.started_by["id"], action))


def _figures(counts: Mapping[str, Any] | None) -> dict[str, Any]:
    """The numbers of a report, without what shows people."""
    return {name: value for name, value in (counts or {}).items() if isinstance(value, int)}


def _plan(found: Import, *, is_dry: bool) -> ImportPlan:
    options = found.options
    return ImportPlan(
        import_id=found.id,
        file_name=found.file_name,
        source=found.source,
        match_by=tuple(options["match_by"]),
        existing=options["existing"],
        stage=options["stage"],
        is_dry=is_dry,
    )


def _row_reader(found: Import, shop: Shop, uow: UnitOfWork) -> RowReader:
    places = {column["name"]: place for place, column in enumerate(found.columns)}
    mapping = [
        Mapped(places[one["column"]], one["column"], one["target"], one["strict"])
        for one in found.mapping
    ]
    now = uow.clock.now()
    zone = ZoneInfo(shop.timezone)
    rules = Rules(
        source=found.source,
        region=shop.country,
        zone=zone,
        date_order=found.options["date_order"],
        today=now.astimezone(zone).date(),
        now=now,
        is_strict=found.options["strict"],
    )
    return RowReader(mapping, rules, width=len(places))


def _read(reader: RowReader, content: bytes) -> list[RowRead]:
    return [reader.read(row, cells) for row, cells in unpacked(content)]
