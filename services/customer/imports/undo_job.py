"""Taking an import back as a job."""

from typing import Final

from services.customer.following import pair_weighing
from services.customer.imports.outcomes import MEDIA_TYPE, rendered_undo
from services.customer.imports.repository import ImportRepository
from services.customer.imports.row_repository import ImportRowRepository
from services.customer.imports.stages import UNDO, act_for, import_id
from services.customer.imports.undoing import ImportUndoing
from shared.db.unit_of_work import UnitOfWork
from shared.jobs.files import JobFiles
from shared.jobs.schemas import JobRead
from shared.jobs.work import Done, Going, HeldJob, JobKind, Step

_LAST_ROW: Final = 2**31 - 1


class ImportUndo(JobKind):
    """Takes every row back, the last first."""

    name = UNDO

    def __init__(self, *, schema: str, page: int) -> None:
        self._schema = schema
        self._page = page

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        """Take back the rows before those of the last step."""
        imports = ImportRepository(uow)
        found = await imports.get(import_id(job), lock=True)
        act_for(uow, found, action="imports.undo")
        before = job.state.get("before", _LAST_ROW)
        rows = await ImportRowRepository(uow).to_undo(found.id, before=before, at_most=self._page)
        if not rows:
            await imports.save(found.id, {"status": "undone"})
            return Done()
        undoing = ImportUndoing(
            uow, import_id=found.id, source=found.source, weighing=pair_weighing(uow)
        )
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
            media_type=MEDIA_TYPE,
        )
        return Going(done=counts["rows"], state={"before": rows[-1].row})

    async def clean_up(self, uow: UnitOfWork, job: HeldJob) -> None:
        """What is taken back stays so, and the rest can be taken back later."""
        imports = ImportRepository(uow)
        found = await imports.get(import_id(job), lock=True)
        was_whole = found.run is not None and found.run["chunks"] >= found.chunks
        await imports.save(found.id, {"status": "finished" if was_whole else "cancelled"})

    def may_retry(self, _job: JobRead) -> bool:
        """The import itself is undone again."""
        return False
