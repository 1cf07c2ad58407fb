"""Decisions about imports: what may be done when, and what a mapping may say."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from services.customer.exports.service import SCOPES
from services.customer.imports.errors import (
    EmptyFile,
    FileTooLarge,
    ImportTransitionNotAllowed,
    MappingNotValid,
    WrongOffset,
)
from services.customer.imports.file_repository import ImportFileRepository
from services.customer.imports.headers import MANY_COLUMNS
from services.customer.imports.outcomes import no_counts
from services.customer.imports.reading import PIECE
from services.customer.imports.repository import Import, ImportRepository
from services.customer.imports.row_repository import ImportRowRepository
from services.customer.imports.schemas import (
    ImportColumnMapping,
    ImportCreate,
    ImportPatch,
    ImportTransition,
)
from services.customer.imports.space import ImportLimits, ImportSpace
from services.customer.imports.stages import DRY_RUN, READING, RUN, UNDO, given_up
from services.customer.imports.targets import CONSENTS, is_target
from shared.audit.trail import AuditEntry, differences
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Forbidden
from shared.ids import new_id
from shared.jobs.repository import JobRepository
from shared.jobs.schemas import ACTIVE, JobRead
from shared.jobs.work import JobKinds
from shared.security.principal import Principal
from shared.security.sight import Sight
from shared.web.resources import check_version

MOST_BYTES: Final = 256 * 2**20
FILES_LIFE: Final = timedelta(days=7)
_ALLOWED: Final[Mapping[str, tuple[ImportTransition, ...]]] = {
    "uploading": ("upload", "discard"),
    "reading": ("cancel",),
    "ready": ("configure", "dry_run", "run", "discard"),
    "checking": ("cancel",),
    "running": ("cancel",),
    "finished": ("undo",),
    "undoing": ("cancel",),
    "undone": (),
}


class ImportService:
    """The imports of one tenant, for callers who see all customers."""

    def __init__(
        self,
        uow: UnitOfWork,
        *,
        jobs: JobRepository,
        kinds: JobKinds,
        limits: ImportLimits,
        sight: Sight | None,
    ) -> None:
        if sight is not None:
            raise Forbidden("Imports are for those who see all customers")
        self._uow = uow
        self._imports = ImportRepository(uow)
        self._space = ImportSpace(self._imports, limits)
        self._files = ImportFileRepository(uow)
        self._jobs = jobs
        self._kinds = kinds

    async def create(self, given: ImportCreate, *, principal: Principal) -> Import:
        """A new import that waits for its file. Raises ImportSpaceUsedUp."""
        now = self._uow.clock.now()
        row = await self._imports.add(
            {
                "id": new_id(),
                "file_name": given.file_name,
                "status": "uploading",
                "source": given.source,
                "reading": {"asked": given.reading.model_dump(exclude_none=True)},
                "columns": [],
                "mapping": [],
                "options": given.options.model_dump(),
                "received_bytes": 0,
                "pieces": 0,
                "chunks": 0,
                "rows": 0,
                "started_by": {"kind": principal.kind.value, "id": principal.actor_id},
                "files_expire_at": now + FILES_LIFE,
                "created_at": now,
                "updated_at": now,
                "version": 1,
            }
        )
        self._uow.record(AuditEntry.of("import", row.id))
        await self._space.take(row.id, 0)
        return row

    async def get(self, import_id: UUID) -> Import:
        """Raises ImportNotFound."""
        return await self._imports.get(import_id)

    async def page(self, request: PageRequest) -> tuple[Sequence[Import], str | None]:
        """A page of imports, the newest first, and the next cursor."""
        return await self._imports.page(request)

    async def rows(
        self,
        import_id: UUID,
        request: PageRequest,
        *,
        outcome: str | None,
        customer_id: UUID | None,
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of rows with what became of them. Raises ImportNotFound."""
        await self._imports.get(import_id)
        return await ImportRowRepository(self._uow).rows_page(
            import_id, request, outcome=outcome, customer_id=customer_id
        )

    async def receive(
        self, import_id: UUID, body: AsyncIterator[bytes], *, offset: int, is_last: bool
    ) -> Import:
        """Take in a part of the file; after the last it is read.

        Raises ImportNotFound, ImportTransitionNotAllowed, WrongOffset, FileTooLarge, EmptyFile,
        ImportSpaceUsedUp.
        """
        found = await self._lock(import_id, "upload")
        left = await self._space.left_for(import_id)
        if offset == 0 and found.received_bytes:
            await self._files.forget_pieces(import_id)
        elif offset != found.received_bytes:
            raise WrongOffset(found.received_bytes)
        # All pieces but the last are full, so that any byte of the file is found at once.
        number, rest = divmod(offset, PIECE)
        received, held = offset, await self._open_piece(import_id, number, rest)
        async for content in body:
            received += len(content)
            if received > MOST_BYTES:
                raise FileTooLarge(f"{MOST_BYTES} bytes at most")
            self._space.check(received, left=left)
            held += content
            while len(held) >= PIECE:
                await self._files.add_piece(import_id, number, bytes(held[:PIECE]))
                del held[:PIECE]
                number += 1
        if held:
            await self._files.add_piece(import_id, number, bytes(held))
        changes: dict[str, Any] = {
            "received_bytes": received,
            "pieces": number + bool(held),
            "files_expire_at": found.files_expire_at or self._uow.clock.now() + FILES_LIFE,
        }
        await self._space.take(import_id, received)
        if not is_last:
            return await self._imports.save(import_id, changes)
        if received == 0:
            raise EmptyFile
        return await self._read_anew(import_id, changes)

    async def change(
        self, import_id: UUID, given: ImportPatch, *, expected_version: int | None
    ) -> Import:
        """Say how the file is read, what its columns hold, how known customers are treated.

        Raises ImportNotFound, PreconditionFailed, ImportTransitionNotAllowed, MappingNotValid.
        """
        found = await self._lock(import_id, "configure")
        check_version(found.version, expected_version)
        changes: dict[str, Any] = {}
        if given.options is not None:
            changes["options"] = given.options.model_dump()
        if given.mapping is not None:
            _check_mapping(given.mapping, [column["name"] for column in found.columns])
            changes["mapping"] = [one.model_dump() for one in given.mapping]
        if given.reading is not None:
            asked = given.reading.model_dump(exclude_none=True)
            if asked != found.reading["asked"]:
                # Its columns may be others then: what they hold is suggested anew.
                changes["reading"] = {"asked": asked}
                await self._files.forget_chunks(import_id)
                self._record(found, changes)
                return await self._read_anew(import_id, changes)
        self._record(found, changes)
        return await self._imports.save(import_id, {**changes, "dry_run": None})

    def _record(self, found: Import, changes: Mapping[str, Any]) -> None:
        """For the audit log: what was set, and nothing of the rows that are shown beside it."""
        differing = differences(dict(found._mapping), changes)
        self._uow.record(AuditEntry.of("import", found.id, differing))

    async def run(self, import_id: UUID, *, is_dry: bool) -> JobRead:
        """A job that takes in the rows, or only finds out what would become of them.

        Raises ImportNotFound, ImportTransitionNotAllowed, MappingNotValid.
        """
        found = await self._lock(import_id, "dry_run" if is_dry else "run")
        if not found.mapping:
            fault = FieldError("/mapping", "empty", "No column is mapped to anything")
            raise MappingNotValid([fault])
        if is_dry:
            state = {"chunk": 0, "counts": no_counts()}
            return await self._begin(found, DRY_RUN, "checking", {"dry_run": None}, state=state)
        # One that was stopped goes on where it was.
        state = {"chunk": found.run["chunks"] if found.run else 0}
        return await self._begin(found, RUN, "running", {}, state=state)

    async def undo(self, import_id: UUID) -> JobRead:
        """A job that takes the import back. Raises ImportNotFound, ImportTransitionNotAllowed."""
        found = await self._lock(import_id, "undo")
        return await self._begin(found, UNDO, "undoing", {"undo": None}, state={})

    async def cancel(self, import_id: UUID) -> Import:
        """Have what works on the import stop after its batch.

        Raises ImportNotFound, ImportTransitionNotAllowed.
        """
        found = await self._imports.get(import_id)
        _check(found, "cancel")
        # The job alone: whoever works on it has locked it first, and the import then.
        job = await self._jobs.lock(found.job_id)
        if job.status in ACTIVE and job.cancel_requested_at is None:
            await self._jobs.ask_cancel(found.job_id)
            self._kinds.wake_after_commit(self._uow)
        return found

    async def discard(self, import_id: UUID) -> Import:
        """Forget the file of an import that nothing works on.

        Raises ImportNotFound, ImportTransitionNotAllowed.
        """
        found = await self._lock(import_id, "discard")
        self._uow.record(AuditEntry.of("import", import_id))
        await self._files.forget_pieces(import_id)
        await self._files.forget_chunks(import_id)
        return await self._imports.save(import_id, given_up(found))

    async def _open_piece(self, import_id: UUID, number: int, rest: int) -> bytearray:
        """What has come of the piece that is not full yet."""
        if rest == 0:
            return bytearray()
        [content] = await self._files.pieces(import_id, number, 1)
        await self._files.forget_piece(import_id, number)
        return bytearray(content)

    async def _read_anew(self, import_id: UUID, changes: Mapping[str, Any]) -> Import:
        blank = {"columns": [], "mapping": [], "chunks": 0, "rows": 0, "dry_run": None}
        found = await self._imports.save(import_id, {**blank, **changes})
        await self._begin(found, READING, "reading", {}, state={})
        return await self._imports.get(import_id)

    async def _begin(
        self,
        found: Import,
        kind: str,
        status: str,
        changes: Mapping[str, Any],
        *,
        state: Mapping[str, Any],
    ) -> JobRead:
        detail = {"import_id": str(found.id), "file_name": found.file_name}
        total = None if kind == READING else found.rows
        job_id = await self._jobs.add(
            kind, detail=detail, total=total, state=state, file_scopes=SCOPES
        )
        await self._imports.save(
            found.id, {**changes, "status": status, "job_id": job_id, "error": None}
        )
        self._uow.record(AuditEntry.of("import", found.id))
        self._kinds.wake_after_commit(self._uow)
        return self._kinds.described(await self._jobs.get(job_id))

    async def _lock(self, import_id: UUID, wanted: ImportTransition) -> Import:
        found = await self._imports.get(import_id, lock=True)
        _check(found, wanted)
        return found


def _check(found: Import, wanted: ImportTransition) -> None:
    allowed = allowed_transitions(found)
    if wanted not in allowed:
        raise ImportTransitionNotAllowed(found.status, allowed)


def allowed_transitions(found: Import) -> list[ImportTransition]:
    """What may be asked of an import now."""
    if found.forgotten_to is not None:
        return []
    if found.status not in {"cancelled", "failed"}:
        return list(_ALLOWED[found.status])
    has_file: list[ImportTransition] = ["discard"] if found.files_expire_at is not None else []
    if found.run is not None:
        return ["run", "undo", *has_file] if found.chunks else ["undo", *has_file]
    return ["upload", *has_file] if found.rows == 0 else has_file


def _check_mapping(mapping: Sequence[ImportColumnMapping], columns: Sequence[str]) -> None:
    faults: list[FieldError] = []
    seen: set[str] = set()
    used: set[str] = set()
    for at, one in enumerate(mapping):
        pointer = f"/body/mapping/{at}"
        if one.column not in columns:
            faults.append(FieldError(f"{pointer}/column", "unknown", "The file has no such column"))
        if one.column in used:
            faults.append(FieldError(f"{pointer}/column", "twice", "It is mapped already"))
        if not is_target(one.target):
            faults.append(FieldError(f"{pointer}/target", "unknown", "Nothing is called that"))
        elif one.target in seen and one.target not in MANY_COLUMNS:
            faults.append(FieldError(f"{pointer}/target", "twice", "Another column holds it"))
        used.add(one.column)
        seen.add(one.target)
    if seen & CONSENTS.keys() and not {"consent_at", "consent_proof"} <= seen:
        detail = "A consent needs columns for consent_at and consent_proof: when, and what shows it"
        faults.append(FieldError("/body/mapping", "consent_without_proof", detail))
    if faults:
        raise MappingNotValid(faults)
