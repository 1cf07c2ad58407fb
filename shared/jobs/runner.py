"""Goes on with the jobs of one part, in its worker."""

import asyncio
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import Final, cast
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from shared.db.failures import again_on_conflict, is_conflict, is_outage
from shared.db.sweeps import in_every_tenant
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.errors import Unavailable
from shared.ids import TenantId
from shared.jobs.errors import GivenUp, WorkersLost
from shared.jobs.leases import Lease, LeaseRepository
from shared.jobs.schemas import JobStatus
from shared.jobs.work import Going, HeldJob, JobKinds, Wake
from shared.observability.metrics import JOB_STEPS
from shared.observability.request_ids import REQUEST_ID
from shared.queue.worker import Job, Periodic

MAX_ATTEMPTS: Final = 5
LISTING: Final = "tenants_with_waiting_jobs"
_SWEEP_SECONDS: Final = 2.0
# A job of the queue is killed after a minute; what is left then is taken up by the next.
_SECONDS: Final = 20
_log = structlog.get_logger(__name__)


class JobRunner:
    """The work that waits in the tenants of this installation."""

    def __init__(self, *, units: UnitsOfWork, kinds: JobKinds, wake: Wake) -> None:
        self._units = units
        self._kinds = kinds
        self._wake = wake
        self._in_a_hurry = False

    def hurry(self) -> None:
        """The worker is about to end: stop after the running step and give the lease back."""
        self._in_a_hurry = True

    async def go_on(self, tenant: str) -> None:
        """Do a tenant's jobs for a while; the worker is woken again when there is more."""
        tenant_id = TenantId(UUID(tenant))
        until = asyncio.get_running_loop().time() + _SECONDS
        while not self._in_a_hurry and (lease := await self._take(tenant_id)) is not None:
            if not await self._work(tenant_id, lease, until=until):
                return
            if asyncio.get_running_loop().time() > until:
                await self._wake(tenant_id)
                return

    async def sweep(self) -> None:
        """The net under lost wake-ups and dead workers: go on with what waits anywhere."""
        if not self._kinds.names:
            return
        await in_every_tenant(self._units, LISTING, lambda tenant_id: self.go_on(tenant_id.hex))

    async def step(self, tenant_id: TenantId) -> bool:
        """Do one step of the oldest job that is free; False when none went further."""
        lease = await self._take(tenant_id)
        if lease is None:
            return False
        with _bound(tenant_id, lease):
            has_gone_on = await self._step(tenant_id, lease) is not None
        await self._give_back(tenant_id, lease)
        return has_gone_on

    async def _take(self, tenant_id: TenantId) -> Lease | None:
        async with self._units.begin(tenant_id) as uow:
            lease = await self._leases(uow).take(self._kinds.names)
            await uow.commit()
        return lease

    async def _work(self, tenant_id: TenantId, lease: Lease, *, until: float) -> bool:
        """Take steps until the job ends or the time is up; False when it has failed."""
        with _bound(tenant_id, lease):
            try:
                while True:
                    going = await self._step(tenant_id, lease)
                    if not going:
                        return going is not None
                    if self._in_a_hurry or asyncio.get_running_loop().time() > until:
                        return True
            finally:
                await self._give_back(tenant_id, lease)

    async def _step(self, tenant_id: TenantId, lease: Lease) -> bool | None:
        """Whether there is more to do at once; None when the step has failed."""
        try:
            going = await again_on_conflict(partial(self._try_step, tenant_id, lease))
            JOB_STEPS.labels(self._units.schema, lease.kind, "done").inc()
            return going
        except Exception as error:
            if is_conflict(error) or is_outage(error):
                raise
            self._report(lease, error)
            await self._note_failure(tenant_id, lease, error)
            return None

    async def _try_step(self, tenant_id: TenantId, lease: Lease) -> bool:
        async with self._units.begin(tenant_id) as uow:
            leases = self._leases(uow)
            job = await leases.hold(lease)
            if job is None:
                return False
            if job.is_cancelled:
                await self._end(uow, lease, job, JobStatus.CANCELLED)
                await uow.commit()
                return False
            if job.attempts > MAX_ATTEMPTS:
                raise WorkersLost
            # For the events of the step, and for the log when it fails.
            structlog.contextvars.bind_contextvars(request_id=job.detail.get(REQUEST_ID))
            step = await self._kinds[job.kind].step(uow, job)
            await leases.keep(lease, job, step)
            await uow.commit()
            return isinstance(step, Going)

    def _report(self, lease: Lease, error: Exception) -> None:
        """What was given up for a reason that its client is told needs nobody of the house."""
        if isinstance(error, GivenUp) and not isinstance(error, WorkersLost):
            JOB_STEPS.labels(self._units.schema, lease.kind, "given_up").inc()
            _log.info("job_given_up", kind=lease.kind, reason=error.code)
        else:
            JOB_STEPS.labels(self._units.schema, lease.kind, "failed").inc()
            _log.error("job_step_failed", kind=lease.kind, exc_info=error)

    async def _note_failure(self, tenant_id: TenantId, lease: Lease, error: Exception) -> None:
        code = error.code if isinstance(error, GivenUp) else type(error).__name__
        async with self._units.begin(tenant_id) as uow:
            leases = self._leases(uow)
            job = await leases.hold(lease)
            if job is None:
                return
            if isinstance(error, GivenUp) or job.attempts >= MAX_ATTEMPTS:
                await self._end(uow, lease, job, JobStatus.FAILED, error=code)
            else:
                await leases.give_back(lease, error=code)
            await uow.commit()

    async def _end(
        self,
        uow: UnitOfWork,
        lease: Lease,
        job: HeldJob,
        status: JobStatus,
        *,
        error: str | None = None,
    ) -> None:
        await self._kinds[job.kind].clean_up(uow, job)
        await self._leases(uow).end(lease, job, status, error=error)

    async def _give_back(self, tenant_id: TenantId, lease: Lease) -> None:
        """Also when this worker is being stopped; if it cannot be, the lease runs out by itself."""
        with suppress(SQLAlchemyError, Unavailable):
            async with self._units.begin(tenant_id) as uow:
                await self._leases(uow).give_back(lease)
                await uow.commit()

    def _leases(self, uow: UnitOfWork) -> LeaseRepository:
        return LeaseRepository(uow, schema=self._units.schema)


def job_function(part: str) -> str:
    """The function of a part's worker that goes on with its jobs."""
    return f"{part}.jobs"


def runner_jobs(runner: JobRunner, part: str) -> dict[str, Job]:
    """What a wake-up runs."""
    return {job_function(part): runner.go_on}


def runner_sweep(runner: JobRunner, part: str) -> Periodic:
    """The net under lost wake-ups."""
    return Periodic(f"{part}.jobs", _SWEEP_SECONDS, runner.sweep)


def _bound(tenant_id: TenantId, lease: Lease) -> AbstractContextManager[None]:
    """What the log says of everything that is done for a job; a step adds who asked for it."""
    return cast(
        "AbstractContextManager[None]",
        structlog.contextvars.bound_contextvars(
            tenant=tenant_id.hex, job_id=lease.job_id.hex, request_id=None
        ),
    )
