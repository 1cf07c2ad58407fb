"""Judging everybody anew: as a job, and every night, since time makes data old."""

from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from services.customer.quality.judging import Judge
from services.customer.quality.repository import QualityRepository
from services.customer.quality.schemas import KIND
from services.customer.tenants.shops import Shops
from shared.db.sweeps import in_every_tenant
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId
from shared.jobs.repository import JobRepository
from shared.jobs.work import Done, Going, HeldJob, JobKind, JobKinds, Step
from shared.queue.worker import Periodic

SWEEP_SECONDS: Final = 60.0
LISTING: Final = "tenants_with_quality"
_NOBODY: Final = UUID(int=0)
_FROM_HOUR: Final = 3


class QualityReview(JobKind):
    """Everybody is judged anew, in the order of their ids; who is new meanwhile, by their event."""

    name = KIND

    def __init__(self, *, page_size: int) -> None:
        self._page_size = page_size

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        """Judge the next people."""
        after = UUID(job.state["after"]) if job.state else _NOBODY
        judged, last = await Judge(uow).review(after, self._page_size)
        done = job.done + judged
        return Done(done=done) if last is None else Going(done=done, state={"after": str(last)})


class QualitySweep:
    """Begins the review of the night in every shop that has customers."""

    def __init__(self, units: UnitsOfWork, kinds: JobKinds) -> None:
        self._units = units
        self._kinds = kinds
        self._shops = Shops()

    async def sweep(self) -> None:
        """Once a day of each shop, after 3 o'clock."""
        await in_every_tenant(self._units, LISTING, self.sweep_tenant)

    async def sweep_tenant(self, tenant: TenantId) -> bool:
        """The same for one shop; whether a review was begun."""
        async with self._units.begin(tenant) as uow:
            quality = QualityRepository(uow)
            zone = ZoneInfo((await self._shops.of(uow)).timezone)
            now = uow.clock.now().astimezone(zone)
            seen = await quality.policy()
            if now.hour < _FROM_HOUR or seen is None or seen.reviewed_on == now.date():
                return False
            if (await quality.lock_policy()).reviewed_on == now.date():
                return False
            await quality.mark_review(now.date())
            await JobRepository(uow, schema=self._units.schema).add(KIND, detail={})
            self._kinds.wake_after_commit(uow)
            await uow.commit()
        return True


def quality_sweep(sweep: QualitySweep) -> Periodic:
    """The sweep as the worker repeats it."""
    return Periodic("quality.review", SWEEP_SECONDS, sweep.sweep)
