"""SQL of jobs as clients see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, Text, Update, Uuid, bindparam, func, insert, select, update
from sqlalchemy.sql.dml import Insert

from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.tables import Instant, part_tables
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.jobs.errors import JobNotFound
from shared.jobs.schemas import ENDED, JobFileRead, JobRead, JobStatus
from shared.observability.request_ids import REQUEST_ID, current_request_id

_TENANT: Final = bindparam("tenant", type_=Uuid)
_JOB: Final = bindparam("job", type_=Uuid)


@dataclass(frozen=True, slots=True)
class _Statements:
    add: Insert
    get: Select[Any]
    lock: Select[Any]
    scopes: Select[Any]
    ask_cancel: Update
    restart: Update
    resume: Update


class JobRepository:
    """Jobs of one part, inside one unit of work."""

    def __init__(self, uow: UnitOfWork, *, schema: str) -> None:
        self._uow = uow
        self._job = part_tables(schema).job
        self._sql = _statements(schema)

    async def add(
        self,
        kind: str,
        *,
        detail: dict[str, Any],
        total: int | None = None,
        state: Mapping[str, Any] | None = None,
        file_scopes: Sequence[str] = (),
    ) -> UUID:
        """A new queued job. Its files go to callers who have `file_scopes` too."""
        job_id, now = new_id(), self._uow.clock.now()
        await self._uow.execute(
            self._sql.add,
            {
                "tenant_id": self._uow.tenant_id,
                "id": job_id,
                "kind": kind,
                "status": JobStatus.QUEUED,
                "done": 0,
                "total": total,
                "detail": _with_request(detail),
                "state": dict(state or {}),
                "file_scopes": list(file_scopes),
                "created_at": now,
                "updated_at": now,
            },
        )
        return job_id

    async def get(self, job_id: UUID) -> JobRead:
        """Raises JobNotFound."""
        return _read(await self._one(self._sql.get, job_id))

    async def lock(self, job_id: UUID) -> JobRead:
        """The job, which nobody moves until the commit. Raises JobNotFound."""
        return _read(await self._one(self._sql.lock, job_id))

    async def file_scopes(self, job_id: UUID) -> list[str]:
        """The scopes that a caller needs to have the job's files. Raises JobNotFound."""
        scopes: list[str] = (await self._one(self._sql.scopes, job_id)).file_scopes
        return scopes

    async def list_page(
        self, request: PageRequest, *, statuses: Sequence[str] = (), kind: str | None = None
    ) -> tuple[list[JobRead], str | None]:
        """Jobs, the newest first, and the cursor of the next page."""
        job = self._job
        statement = select(job).where(job.c.tenant_id == self._uow.tenant_id)
        if statuses:
            statement = statement.where(job.c.status.in_(statuses))
        if kind is not None:
            statement = statement.where(job.c.kind == kind)
        order = (
            SortKey(job.c.created_at, "created_at", parse_instant, descending=True),
            SortKey(job.c.id, "id", parse_id, descending=True),
        )
        rows = await self._uow.rows(page(statement, order, request))
        kept, cursor = next_cursor(rows, order, request.limit)
        return [_read(row) for row in kept], cursor

    async def ask_cancel(self, job_id: UUID) -> None:
        """Have the worker that holds a locked job, or the next one, cancel it."""
        await self._uow.execute(self._sql.ask_cancel, self._moved(job_id))

    async def restart(self, job_id: UUID) -> None:
        """Put a locked job that has ended back into the queue, as if it were new."""
        await self._uow.execute(self._sql.restart, self._moved(job_id))

    async def resume(self, job_id: UUID, *, total: int | None = None) -> None:
        """Let workers go on with a job that has waited; a total that is known now is shown."""
        await self._uow.execute(self._sql.resume, {**self._moved(job_id), "new_total": total})

    async def report(
        self,
        job_id: UUID,
        *,
        status: JobStatus,
        done: int | None = None,
        total: int | None = None,
        error: str | None = None,
        detail: dict[str, Any] | None = None,
    ) -> None:
        """Tell how a job stands that no `JobKind` runs; a final status sets the time it ended."""
        job, now = self._job, self._uow.clock.now()
        values: dict[str, Any] = {"status": status, "updated_at": now, "error": error}
        optional = {"done": done, "total": total, "detail": detail}
        values |= {name: value for name, value in optional.items() if value is not None}
        if status in ENDED:
            values["finished_at"] = now
        await self._uow.execute(
            update(job)
            .where(job.c.tenant_id == self._uow.tenant_id, job.c.id == job_id)
            .values({**values, "version": job.c.version + 1})
        )

    def _moved(self, job_id: UUID) -> dict[str, Any]:
        return {"tenant": self._uow.tenant_id, "job": job_id, "now": self._uow.clock.now()}

    async def _one(self, statement: Select[Any], job_id: UUID) -> Row[*tuple[Any, ...]]:
        identity = {"tenant": self._uow.tenant_id, "job": job_id}
        row = await self._uow.one_or_none(statement, identity)
        if row is None:
            raise JobNotFound
        return row


def _with_request(detail: dict[str, Any]) -> dict[str, Any]:
    request_id = current_request_id()
    return {REQUEST_ID: request_id, **detail} if request_id is not None else detail


@lru_cache
def _statements(schema: str) -> _Statements:
    job = part_tables(schema).job
    itself = (job.c.tenant_id == _TENANT, job.c.id == _JOB)
    now = bindparam("now", type_=Instant)
    moved = {"version": job.c.version + 1, "updated_at": now}
    new_total = bindparam("new_total", type_=job.c.total.type)
    return _Statements(
        add=insert(job),
        get=select(job).where(*itself),
        lock=select(job).where(*itself).with_for_update(),
        scopes=select(job.c.file_scopes).where(*itself),
        ask_cancel=update(job)
        .where(*itself)
        .values(**moved, cancel_requested_at=now, parked=False),
        restart=update(job)
        .where(*itself)
        .values(
            **moved,
            status=bindparam("queued", JobStatus.QUEUED, type_=Text),
            done=0,
            total=None,
            error=None,
            state={},
            attempts=0,
            lease_owner=None,
            lease_until=None,
            parked=False,
            cancel_requested_at=None,
            finished_at=None,
            files={},
            files_expire_at=None,
        ),
        resume=update(job)
        .where(*itself)
        .values(**moved, parked=False, total=func.coalesce(new_total, job.c.total)),
    )


def _read(row: Row[*tuple[Any, ...]]) -> JobRead:
    columns = row._mapping
    values = {name: columns[name] for name in columns if name in JobRead.model_fields}
    expires_at: datetime | None = columns["files_expire_at"]
    for name, file in columns["files"].items():
        values[name] = JobFileRead(
            url=f"/v1/jobs/{columns['id']}/{name}",
            file_name=file["file_name"],
            media_type=file["media_type"],
            rows=file["rows"],
            bytes=file["bytes"],
            expires_at=expires_at,
        )
    return JobRead.model_validate(values)
