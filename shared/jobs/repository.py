"""SQL of the jobs of a part."""

from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Table, insert, select, update

from shared.db.tables import part_tables
from shared.db.unit_of_work import UnitOfWork
from shared.errors import NotFound
from shared.ids import new_id
from shared.jobs.schemas import JobRead, JobStatus


class JobNotFound(NotFound):
    """No such job in this tenant."""

    code = "job_not_found"
    title = "There is no such job"


class JobRepository:
    """Jobs of one part, inside one unit of work."""

    def __init__(self, uow: UnitOfWork, *, schema: str) -> None:
        self._uow = uow
        self._job = _job_table(schema)

    async def add(self, kind: str, *, detail: dict[str, Any], total: int | None = None) -> UUID:
        """A new queued job."""
        job_id, now = new_id(), self._uow.clock.now()
        await self._uow.execute(
            insert(self._job).values(
                tenant_id=self._uow.tenant_id,
                id=job_id,
                kind=kind,
                status=JobStatus.QUEUED,
                done=0,
                total=total,
                detail=detail,
                created_at=now,
                updated_at=now,
            )
        )
        return job_id

    async def get(self, job_id: UUID) -> JobRead:
        """Raises JobNotFound."""
        row = await self._uow.one_or_none(
            select(self._job).where(
                self._job.c.tenant_id == self._uow.tenant_id, self._job.c.id == job_id
            )
        )
        if row is None:
            raise JobNotFound
        return JobRead.model_validate(row._mapping)

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
        """Tell how the job stands; a final status also sets the time it finished."""
        now = self._uow.clock.now()
        values: dict[str, Any] = {"status": status, "updated_at": now, "error": error}
        optional = {"done": done, "total": total, "detail": detail}
        values |= {name: value for name, value in optional.items() if value is not None}
        if status in (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED):
            values["finished_at"] = now
        await self._uow.execute(
            update(self._job)
            .where(self._job.c.tenant_id == self._uow.tenant_id, self._job.c.id == job_id)
            .values(values)
        )


@lru_cache
def _job_table(schema: str) -> Table:
    return part_tables(schema).job
