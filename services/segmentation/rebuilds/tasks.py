"""Work over whole shops as jobs: done step by step in the worker, watched by clients."""

from collections.abc import Callable
from uuid import UUID

from services.segmentation.rebuilds.service import RebuildService
from services.segmentation.rebuilds.steps import Steps
from services.segmentation.runs.repository import JOB_NAMES, RunKind, RunRepository
from services.segmentation.segments.reasons import Reason
from services.segmentation.segments.service import SegmentService
from shared.db.unit_of_work import UnitOfWork
from shared.jobs.schemas import JobRead
from shared.jobs.work import Done, HeldJob, JobKind, Step

RunsOf = Callable[[UnitOfWork], RunRepository]
StepsOf = Callable[[UnitOfWork], Steps]


class _RunJob(JobKind):
    """Work whose place is remembered in the row of its run."""

    def __init__(self, *, runs: RunsOf, steps: StepsOf) -> None:
        self._runs = runs
        self._steps = steps

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        """Do the next step of the run."""
        run = await self._runs(uow).hold(job.id)
        return Done() if run is None else await self._steps(uow).take(run, done=job.done)

    async def clean_up(self, uow: UnitOfWork, job: HeldJob) -> None:
        """A run that nobody works on must not look as if it were under way."""
        await self._runs(uow).end(job.id)


class EvaluationJob(_RunJob):
    """Everybody is evaluated, for one segment or all."""

    name = JOB_NAMES[RunKind.EVALUATION]

    def __init__(
        self, *, runs: RunsOf, steps: StepsOf, segments: Callable[[UnitOfWork], SegmentService]
    ) -> None:
        super().__init__(runs=runs, steps=steps)
        self._segments = segments

    def may_cancel(self, job: JobRead) -> bool:
        """Only what repairs may stop half-way: a new rule holds for everybody or for nobody."""
        return job.detail.get("reason") == Reason.REBUILT

    async def restart(self, uow: UnitOfWork, job: JobRead) -> None:
        """Evaluate everybody again. Raises SegmentNotFound, SegmentPaused."""
        segment_id = _segment_of(job)
        if segment_id is not None:
            await self._segments(uow).check_active(segment_id)
        reason = job.detail["reason"]
        await self._runs(uow).put(job.id, RunKind.EVALUATION, reason=reason, segment_id=segment_id)


class RemovalJob(_RunJob):
    """The members of a deleted segment leave."""

    name = JOB_NAMES[RunKind.REMOVAL]

    def may_cancel(self, _job: JobRead) -> bool:
        """A segment that is gone can have no members."""
        return False

    async def restart(self, uow: UnitOfWork, job: JobRead) -> None:
        """Go on with those who are left."""
        segment_id, reason = _segment_of(job), job.detail["reason"]
        await self._runs(uow).put(job.id, RunKind.REMOVAL, reason=reason, segment_id=segment_id)


class RebuildJob(_RunJob):
    """The whole projection is told again."""

    name = JOB_NAMES[RunKind.REBUILD]

    def __init__(
        self, *, runs: RunsOf, steps: StepsOf, rebuilds: Callable[[UnitOfWork], RebuildService]
    ) -> None:
        super().__init__(runs=runs, steps=steps)
        self._rebuilds = rebuilds

    def may_cancel(self, _job: JobRead) -> bool:
        """What was forgotten must be told again first."""
        return False

    async def restart(self, uow: UnitOfWork, job: JobRead) -> None:
        """Forget everything and be told it again. Raises RebuildUnderWay."""
        await self._rebuilds(uow).restart(job.id)


def _segment_of(job: JobRead) -> UUID | None:
    segment_id = job.detail.get("segment_id")
    return None if segment_id is None else UUID(segment_id)
