"""SQL of work over a whole shop, and the jobs by which clients follow it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Uuid, bindparam, delete, insert, select, update

from services.segmentation.runs.models import run
from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId
from shared.jobs.repository import JobRepository
from shared.jobs.schemas import JobStatus

Wake = Callable[[TenantId], Awaitable[None]]

MAX_ATTEMPTS: Final = 5
_SCHEMA: Final = "segmentation"
_TENANT: Final = bindparam("tenant", type_=Uuid)
_OF_TENANT: Final = run.c.tenant_id == _TENANT
_ITSELF: Final = (_OF_TENANT, run.c.job_id == bindparam("job", type_=Uuid))


class RunKind(StrEnum):
    """What a run is for."""

    EVALUATION = "evaluation"  # everybody, for one segment or all
    REMOVAL = "removal"  # the members of a deleted segment
    REBUILD = "rebuild"  # the whole projection


class Phase(StrEnum):
    """What is to be done next."""

    FORGET = "forget"
    AWAIT_SNAPSHOT = "await_snapshot"
    EVALUATE = "evaluate"
    CLEAR = "clear"
    REMOVE = "remove"


_JOB_KINDS: Final = {
    RunKind.EVALUATION: "segment_rebuild",
    RunKind.REMOVAL: "segment_removal",
    RunKind.REBUILD: "segmentation_rebuild",
}
_FIRST_PHASE: Final = {
    RunKind.EVALUATION: Phase.EVALUATE,
    RunKind.REMOVAL: Phase.REMOVE,
    RunKind.REBUILD: Phase.FORGET,
}


@dataclass(frozen=True, slots=True)
class Run:
    """Where some work stands."""

    job_id: UUID
    kind: RunKind
    phase: Phase
    segment_id: UUID | None
    reason: str
    after_id: UUID | None
    attempts: int


_TAKE: Final = (
    select(run)
    .where(_OF_TENANT, run.c.phase != Phase.AWAIT_SNAPSHOT)
    .order_by(run.c.created_at, run.c.job_id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_REBUILD: Final = select(run).where(_OF_TENANT, run.c.kind == RunKind.REBUILD)
_MOVE: Final = (
    update(run)
    .where(*_ITSELF)
    .values(phase=bindparam("to"), after_id=bindparam("after"), attempts=0)
)
_COUNT_FAILURE: Final = (
    update(run).where(*_ITSELF).values(attempts=run.c.attempts + 1).returning(run.c.attempts)
)
_END: Final = delete(run).where(*_ITSELF)


class RunRepository:
    """The work over one shop, inside one unit of work."""

    def __init__(self, uow: UnitOfWork, *, wake: Wake) -> None:
        self._uow = uow
        self._wake = wake
        self._jobs = JobRepository(uow, schema=_SCHEMA)

    async def add(
        self,
        kind: RunKind,
        *,
        reason: str,
        segment_id: UUID | None = None,
        detail: dict[str, Any] | None = None,
    ) -> UUID:
        """Start work; the id of its job. The worker is woken after the commit."""
        job_id = await self._jobs.add(_JOB_KINDS[kind], detail={"reason": reason, **(detail or {})})
        await self._uow.execute(
            insert(run).values(
                tenant_id=self._uow.tenant_id,
                job_id=job_id,
                kind=kind,
                phase=_FIRST_PHASE[kind],
                segment_id=segment_id,
                reason=reason,
                created_at=self._uow.clock.now(),
            )
        )
        self.wake_after_commit()
        return job_id

    def wake_after_commit(self) -> None:
        """Have the worker look for work once this unit of work is durable."""
        self._uow.after_commit(partial(self._wake, self._uow.tenant_id))

    async def take(self) -> Run | None:
        """The oldest work that can go on and that no other process has in hand."""
        return _run(await self._uow.one_or_none(_TAKE, {"tenant": self._uow.tenant_id}))

    async def find_rebuild(self) -> Run | None:
        """The rebuild of the projection that is under way. The shop must be locked or shared."""
        return _run(await self._uow.one_or_none(_REBUILD, {"tenant": self._uow.tenant_id}))

    async def move(
        self,
        taken: Run,
        *,
        to: Phase,
        after: UUID | None = None,
        done: int | None = None,
        total: int | None = None,
    ) -> None:
        """The work has come this far."""
        await self._uow.execute(_MOVE, {**self._id(taken.job_id), "to": to, "after": after})
        await self._jobs.report(taken.job_id, status=JobStatus.RUNNING, done=done, total=total)

    async def done(self, taken: Run) -> int:
        """How many customers the work has dealt with so far."""
        return (await self._jobs.get(taken.job_id)).done

    async def finish(self, taken: Run) -> None:
        """The work is done."""
        await self._uow.execute(_END, self._id(taken.job_id))
        await self._jobs.report(taken.job_id, status=JobStatus.SUCCEEDED)

    async def failed(self, job_id: UUID, error: str) -> bool:
        """Note a failed step; True when it was the last try and the work is given up."""
        attempts: int | None = await self._uow.scalar(_COUNT_FAILURE, self._id(job_id))
        if attempts is None:
            return True
        given_up = attempts >= MAX_ATTEMPTS
        if given_up:
            await self._uow.execute(_END, self._id(job_id))
        status = JobStatus.FAILED if given_up else JobStatus.RUNNING
        await self._jobs.report(job_id, status=status, error=error)
        return given_up

    def _id(self, job_id: UUID) -> dict[str, UUID]:
        return {"tenant": self._uow.tenant_id, "job": job_id}


def _run(row: Any) -> Run | None:
    if row is None:
        return None
    return Run(
        job_id=row.job_id,
        kind=RunKind(row.kind),
        phase=Phase(row.phase),
        segment_id=row.segment_id,
        reason=row.reason,
        after_id=row.after_id,
        attempts=row.attempts,
    )
