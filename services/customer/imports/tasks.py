"""Imports as jobs: trying them out, and taking them in.

A step is a batch of rows in one transaction, with what is known of how far the job has come; so a
worker that is killed leaves nothing half, and another goes on exactly there.
"""

from collections.abc import Mapping
from typing import Any, Final

from services.customer.imports.file_repository import ImportFileRepository
from services.customer.imports.key_repository import KeyRepository
from services.customer.imports.outcomes import counts_alone, no_counts
from services.customer.imports.plan import OUTCOMES
from services.customer.imports.portions import Portions
from services.customer.imports.repository import Import, ImportRepository
from services.customer.imports.stages import DRY_RUN, RUN, act_for, import_id
from shared.audit.trail import AuditEntry
from shared.contracts.audit import AuditSubject
from shared.contracts.imports import ImportFinished, ImportState
from shared.db.unit_of_work import UnitOfWork
from shared.jobs.schemas import JobRead
from shared.jobs.work import Done, Going, HeldJob, JobKind, Step

_TRIED_TOGETHER: Final = 20_000


class ImportDryRun(JobKind):
    """Finds out what would become of every row, by the very code of the run."""

    name = DRY_RUN

    def __init__(self, portions: Portions) -> None:
        self._portions = portions

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        """Try the next portion; in the end, forget what was tried."""
        imports = ImportRepository(uow)
        found = await imports.get(import_id(job), lock=True)
        if "slice" in job.state:
            return await self._forget(uow, found, job)
        counts = await self._portions.take_in(uow, job, found, is_dry=True)
        if counts is None:
            return Going(state={**job.state, "slice": 0})
        await imports.save(found.id, {"dry_run": counts})
        # What shows people is kept with the import alone, where it ends with them.
        state = {"chunk": job.state["chunk"] + 1, "counts": counts_alone(counts)}
        return Going(done=counts["rows"], state=state)

    async def clean_up(self, uow: UnitOfWork, job: HeldJob) -> None:
        """Nothing has changed: it can be run, or tried again."""
        await KeyRepository(uow).forget_tried(import_id(job), slice_=0, of=1)
        changes = {"status": "ready", "dry_run": None}
        await ImportRepository(uow).save(import_id(job), changes)

    def may_retry(self, _job: JobRead) -> bool:
        """The import itself is asked again."""
        return False

    async def _forget(self, uow: UnitOfWork, found: Import, job: HeldJob) -> Step:
        slices = found.rows // _TRIED_TOGETHER + 1
        at = job.state["slice"]
        await KeyRepository(uow).forget_tried(found.id, slice_=at, of=slices)
        if at + 1 < slices:
            return Going(state={**job.state, "slice": at + 1})
        await ImportRepository(uow).save(found.id, {"status": "ready"})
        return Done(detail={"counts": _figures(found.dry_run)})


class ImportRun(JobKind):
    """Takes in every row."""

    name = RUN

    def __init__(self, portions: Portions) -> None:
        self._portions = portions

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        """Take in the next portion."""
        imports = ImportRepository(uow)
        found = await imports.get(import_id(job), lock=True)
        act_for(uow, found, action="imports.run")
        counts = await self._portions.take_in(uow, job, found, is_dry=False)
        if counts is None:
            files = ImportFileRepository(uow)
            await files.forget_pieces(found.id)
            await files.forget_chunks(found.id)
            done = {"status": "finished", "files_expire_at": None}
            _tell(uow, await imports.save(found.id, done))
            return Done(detail={"counts": _figures(found.run)})
        chunk = job.state["chunk"] + 1
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
        found = await imports.get(import_id(job), lock=True)
        if found.run is None:
            changes["run"] = {**no_counts(), "chunks": 0}
        _tell(uow, await imports.save(found.id, changes))

    def may_retry(self, _job: JobRead) -> bool:
        """The import itself is run again."""
        return False


def _tell(uow: UnitOfWork, ended: Import) -> None:
    """That a run has ended, and what came of it."""
    counts = _figures(ended.run)
    state = ImportState(
        import_id=ended.id,
        version=ended.version,
        job_id=ended.job_id,
        source=ended.source,
        status=ended.status,
        rows=ended.rows,
        rows_done=counts["rows"],
        **{outcome: counts[outcome] for outcome in OUTCOMES},
        possible_duplicates=counts["possible_duplicates"],
        created_at=ended.created_at,
        ended_at=ended.updated_at,
    )
    uow.append(ImportFinished(run=state), key=ended.id)


def _figures(counts: Mapping[str, Any] | None) -> dict[str, Any]:
    """The numbers of a report, without what shows people."""
    return {name: value for name, value in (counts or {}).items() if isinstance(value, int)}
