"""Judging everybody anew: as a job, and every night, since time makes data old."""

from datetime import date, datetime, time, timedelta
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
KEEP_UP_SECONDS: Final = 15.0
LISTING: Final = "tenants_with_quality_to_review"
"""The shops whose night has come since they were judged anew."""
TO_JUDGE: Final = "tenants_with_people_to_judge"
"""The shops in which anybody was changed since they were looked at: most of the time a few."""

_NOBODY: Final = UUID(int=0)
_FROM: Final = time(3)
# What is being written is committed by then.
_SETTLED: Final = timedelta(seconds=5)
_PAGE: Final = 500
_PAGES: Final = 4


class QualityReview(JobKind):
    """Everybody is judged anew, in the order of their ids; who is new meanwhile, by the sweep."""

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
    """Judges whoever was changed, and begins the review of the night, in every shop."""

    def __init__(
        self, units: UnitsOfWork, kinds: JobKinds, *, settled: timedelta = _SETTLED
    ) -> None:
        self._units = units
        self._kinds = kinds
        self._settled = settled
        self._shops = Shops()

    async def keep_up(self) -> None:
        """Judge those who were changed, a little in every shop, so that nothing else waits."""
        await in_every_tenant(self._units, TO_JUDGE, self.keep_up_tenant)

    async def keep_up_tenant(self, tenant: TenantId) -> None:
        """The same for one shop. What was committed late the review of the night finds."""
        for _ in range(_PAGES):
            async with self._units.begin(tenant) as uow:
                until = uow.clock.now() - self._settled
                going_on = await Judge(uow).keep_up(until, _PAGE)
                await uow.commit()
            if not going_on:
                return

    async def sweep(self) -> None:
        """Once a day of each shop, after 3 o'clock."""
        await in_every_tenant(self._units, LISTING, self.sweep_tenant)

    async def sweep_tenant(self, tenant: TenantId) -> bool:
        """The same for one shop; whether a review was begun."""
        async with self._units.begin(tenant) as uow:
            quality = QualityRepository(uow)
            zone = ZoneInfo((await self._shops.of(uow)).timezone)
            now = uow.clock.now().astimezone(zone)
            if await quality.policy() is None:
                return False
            due_at = _due_at((await quality.lock_policy()).reviewed_on, now)
            is_due = due_at <= now
            if is_due:
                await quality.mark_review(now.date())
                await JobRepository(uow, schema=self._units.schema).add(KIND, detail={})
                self._kinds.wake_after_commit(uow)
                due_at = _due_at(now.date(), now)
            await quality.put_off_review(due_at)
            await uow.commit()
        return is_due


def _due_at(reviewed_on: date | None, now: datetime) -> datetime:
    """When a review has to begin, by the shop's clock, after that of a day."""
    day = now.date() + timedelta(days=reviewed_on == now.date())
    return datetime.combine(day, _FROM, tzinfo=now.tzinfo)


def quality_sweeps(sweep: QualitySweep) -> list[Periodic]:
    """What the worker does again and again."""
    return [
        Periodic("quality.keep_up", KEEP_UP_SECONDS, sweep.keep_up),
        Periodic("quality.review", SWEEP_SECONDS, sweep.sweep),
    ]
