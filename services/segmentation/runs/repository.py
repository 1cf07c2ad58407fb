"""SQL of work over a whole shop: what its jobs have to remember."""

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
from shared.jobs.runner import MAX_ATTEMPTS as MAX_ATTEMPTS

Wake = Callable[[TenantId], Awaitable[None]]

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


JOB_NAMES: Final = {
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


_HOLD: Final = select(run).where(*_ITSELF).with_for_update()
_REBUILD: Final = select(run).where(_OF_TENANT, run.c.kind == RunKind.REBUILD)
_MOVE: Final = (
    update(run).where(*_ITSELF).values(phase=bindparam("to"), after_id=bindparam("after"))
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
        known = {"reason": reason, **(detail or {})}
        job_id = await self._jobs.add(JOB_NAMES[kind], detail=known)
        await self.put(job_id, kind, reason=reason, segment_id=segment_id)
        return job_id

    async def put(
        self, job_id: UUID, kind: RunKind, *, reason: str, segment_id: UUID | None
    ) -> None:
        """Start the work of a job. The worker is woken after the commit."""
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

    def wake_after_commit(self) -> None:
        """Have the worker look for work once this unit of work is durable."""
        self._uow.after_commit(partial(self._wake, self._uow.tenant_id))

    async def hold(self, job_id: UUID) -> Run | None:
        """The work of a job, which nobody else moves until the commit."""
        return _run(await self._uow.one_or_none(_HOLD, self._id(job_id)))

    async def find_rebuild(self) -> Run | None:
        """The rebuild of the projection that is under way. The shop must be locked or shared."""
        return _run(await self._uow.one_or_none(_REBUILD, {"tenant": self._uow.tenant_id}))

    async def move(self, held: Run, *, to: Phase, after: UUID | None = None) -> None:
        """The work has come this far."""
        await self._uow.execute(_MOVE, {**self._id(held.job_id), "to": to, "after": after})

    async def resume(self, held: Run, *, to: Phase, total: int) -> None:
        """What the work has waited for is there: workers go on with it."""
        await self.move(held, to=to)
        await self._jobs.resume(held.job_id, total=total)
        self.wake_after_commit()

    async def end(self, job_id: UUID) -> None:
        """There is nothing more to remember of the work of a job."""
        await self._uow.execute(_END, self._id(job_id))

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
    )
