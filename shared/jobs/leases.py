"""SQL of jobs as workers see them: leases, steps, ends.

A lease says whose hands a job is in. It is renewed by every step that commits, and while a step
runs the job's row is locked; so a job is free again when its worker has been silent for
`LEASE`, and never while somebody works on it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Text,
    Update,
    Uuid,
    and_,
    any_,
    bindparam,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from shared.db.tables import Instant, part_tables
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.jobs.schemas import ACTIVE, JobStatus
from shared.jobs.work import Done, Going, HeldJob, Step, Waiting

LEASE: Final = timedelta(seconds=15)
FILES_LIFE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a job; `owner` is new with every lease."""

    job_id: UUID
    kind: str
    owner: UUID
    attempts: int


@dataclass(frozen=True, slots=True)
class _Statements:
    take: Update
    hold: Select[Any]
    keep: Update
    end: Update
    give_back: Update


class LeaseRepository:
    """The jobs of one part for its workers, inside one unit of work."""

    def __init__(self, uow: UnitOfWork, *, schema: str) -> None:
        self._uow = uow
        self._sql = _statements(schema)

    async def take(self, kinds: Sequence[str]) -> Lease | None:
        """Take the oldest job of these kinds that is in nobody's hands."""
        owner, now = new_id(), self._uow.clock.now()
        parameters = {"kinds": list(kinds), "owner": owner, "now": now, "until": now + LEASE}
        row = await self._uow.one_or_none(
            self._sql.take, {"tenant": self._uow.tenant_id, **parameters}
        )
        return None if row is None else Lease(row.id, row.kind, owner, row.attempts)

    async def hold(self, lease: Lease) -> HeldJob | None:
        """The job, locked until the commit; None when the lease has passed to somebody else."""
        row = await self._uow.one_or_none(self._sql.hold, self._of(lease))
        return None if row is None else _held(row)

    async def keep(self, lease: Lease, job: HeldJob, step: Step) -> None:
        """Write how far a held job has come."""
        if isinstance(step, Done):
            detail = {**job.detail, **step.detail}
            done = job.done if step.done is None else step.done
            await self._end(lease, job, JobStatus.SUCCEEDED, done=done, detail=detail)
            return
        going = step if isinstance(step, Going) else Going()
        now = self._uow.clock.now()
        await self._uow.execute(
            self._sql.keep,
            {
                **self._of(lease),
                "now": now,
                "until": now + LEASE,
                "new_done": job.done if going.done is None else going.done,
                "new_total": job.total if going.total is None else going.total,
                "new_state": job.state if going.state is None else dict(going.state),
                "new_files": job.files,
                "new_parked": isinstance(step, Waiting),
            },
        )

    async def end(
        self, lease: Lease, job: HeldJob, status: JobStatus, *, error: str | None = None
    ) -> None:
        """A held job was cancelled or has failed for good."""
        await self._end(lease, job, status, error=error)

    async def give_back(self, lease: Lease, *, error: str | None = None) -> None:
        """Let anybody go on with the job; an error that it met is shown meanwhile."""
        await self._uow.execute(
            self._sql.give_back,
            {**self._of(lease), "now": self._uow.clock.now(), "new_error": error},
        )

    async def _end(
        self,
        lease: Lease,
        job: HeldJob,
        status: JobStatus,
        *,
        done: int | None = None,
        detail: Mapping[str, Any] | None = None,
        error: str | None = None,
    ) -> None:
        now = self._uow.clock.now()
        await self._uow.execute(
            self._sql.end,
            {
                **self._of(lease),
                "now": now,
                "new_status": status,
                "new_done": job.done if done is None else done,
                "new_detail": job.detail if detail is None else dict(detail),
                "new_error": error,
                "new_files": job.files,
                "new_expiry": now + FILES_LIFE if job.files else None,
            },
        )

    def _of(self, lease: Lease) -> dict[str, Any]:
        return {"tenant": self._uow.tenant_id, "job": lease.job_id, "owner": lease.owner}


@lru_cache
def _statements(schema: str) -> _Statements:
    job = part_tables(schema).job
    tenant = job.c.tenant_id == bindparam("tenant", type_=Uuid)
    now = bindparam("now", type_=Instant)
    free: ColumnElement[bool] = and_(
        job.c.status.in_([status.value for status in ACTIVE]),
        ~job.c.parked,
        or_(job.c.lease_until.is_(None), job.c.lease_until < now),
    )
    wanted = (
        select(job.c.id)
        .where(tenant, job.c.kind == any_(bindparam("kinds", type_=ARRAY(Text))), free)
        .order_by(job.c.created_at, job.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte("wanted")
    )
    held = (
        tenant,
        job.c.id == bindparam("job", type_=Uuid),
        job.c.lease_owner == bindparam("owner", type_=Uuid),
        job.c.status == bindparam("running", JobStatus.RUNNING, type_=Text),
    )
    moved = {"version": job.c.version + 1, "updated_at": now}
    free_again = {"lease_owner": None, "lease_until": None}
    ours = {name: bindparam(f"new_{name}", type_=job.c[name].type) for name in _WRITTEN}
    return _Statements(
        take=update(job)
        .where(tenant, job.c.id == wanted.c.id, free)
        .values(
            **moved,
            status=bindparam("running", JobStatus.RUNNING, type_=Text),
            lease_owner=bindparam("owner", type_=Uuid),
            lease_until=bindparam("until", type_=Instant),
            attempts=job.c.attempts + 1,
        )
        .returning(job.c.id, job.c.kind, job.c.attempts),
        hold=select(job).where(*held).with_for_update(),
        keep=update(job)
        .where(*held)
        .values(
            **moved,
            **{name: ours[name] for name in ("done", "total", "state", "files", "parked")},
            error=None,
            # What has brought the job further is no failed attempt.
            attempts=0,
            lease_until=bindparam("until", type_=Instant),
        ),
        end=update(job)
        .where(*held)
        .values(
            **moved,
            **free_again,
            **{name: ours[name] for name in ("status", "done", "detail", "error", "files")},
            finished_at=now,
            files_expire_at=bindparam("new_expiry", type_=Instant),
        ),
        give_back=update(job).where(*held).values(**moved, **free_again, error=ours["error"]),
    )


_WRITTEN: Final = ("status", "done", "total", "state", "files", "parked", "detail", "error")


def _held(row: Row[*tuple[Any, ...]]) -> HeldJob:
    return HeldJob(
        id=row.id,
        kind=row.kind,
        done=row.done,
        total=row.total,
        detail=row.detail,
        state=row.state,
        attempts=row.attempts,
        is_cancelled=row.cancel_requested_at is not None,
        files=row.files,
    )
