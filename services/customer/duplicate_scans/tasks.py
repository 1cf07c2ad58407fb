"""Scans as jobs, those of the night, and tidying up after scans that did not reach their end."""

from datetime import datetime
from typing import Final

from services.customer.duplicate_scans.errors import ScanRunning
from services.customer.duplicate_scans.notes_repository import ScanNotes
from services.customer.duplicate_scans.repository import ScanRepository
from services.customer.duplicate_scans.scanning import DuplicateScan, Progress
from services.customer.duplicate_scans.schemas import KIND
from services.customer.duplicate_scans.service import ScanService
from services.customer.tenants.shops import Shops
from shared.db.sweeps import in_every_tenant
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId
from shared.jobs.repository import JobRepository
from shared.jobs.schemas import JobRead
from shared.jobs.work import Done, Going, HeldJob, JobKind, JobKinds, Step
from shared.queue.worker import Periodic

SWEEP_SECONDS: Final = 30.0
_REMAINS: Final = 10_000


class DuplicateScanJob(JobKind):
    """Everybody who has something in common is compared; the likely pairs become candidates."""

    name = KIND

    def __init__(self, *, page_size: int) -> None:
        self._page_size = page_size

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        """Go on for half a second."""
        since = job.detail["changed_since"]
        scan = DuplicateScan(
            uow,
            scan_id=job.id,
            min_score=job.detail["min_score"],
            changed_since=datetime.fromisoformat(since) if since else None,
            page_size=self._page_size,
        )
        progress = await scan.step(Progress.of(job.state))
        if progress.phase == "done":
            return Done(done=progress.done(), detail=progress.results())
        return Going(done=progress.done(), total=progress.total(), state=progress.state())

    async def clean_up(self, uow: UnitOfWork, job: HeldJob) -> None:
        """It says how it ended; what it noted is left to the sweep, for it may be much."""
        status = "cancelled" if job.is_cancelled else "failed"
        found = Progress.of(job.state).results()
        await ScanRepository(uow).save(job.id, status=status, finished_at=uow.clock.now(), **found)

    async def restart(self, uow: UnitOfWork, job: JobRead) -> None:
        """It runs again, unless another does meanwhile. Raises ScanRunning."""
        scans = ScanRepository(uow)
        running = await scans.running()
        if running is not None:
            raise ScanRunning(running)
        await scans.begin_anew(job.id)


class ScanSweeps:
    """What scans need of time."""

    def __init__(self, units: UnitsOfWork, kinds: JobKinds) -> None:
        self._units = units
        self._kinds = kinds
        self._shops = Shops()

    async def start_nightly(self) -> None:
        """Begin the scan of the night in every shop that wants one."""
        await in_every_tenant(self._units, "tenants_with_nightly_scans", self.start_nightly_of)

    async def tidy(self) -> None:
        """Forget what scans have noted that were cancelled or failed."""
        await in_every_tenant(self._units, "tenants_with_scan_remains", self.tidy_of)

    async def start_nightly_of(self, tenant: TenantId) -> bool:
        """Begin it in one shop if it is due; whether it was."""
        async with self._units.begin(tenant) as uow:
            scans = ScanService(
                uow,
                scans=ScanRepository(uow),
                jobs=JobRepository(uow, schema=self._units.schema),
                kinds=self._kinds,
            )
            shop = await self._shops.of(uow)
            begun = await scans.start_nightly(timezone=shop.timezone)
            await uow.commit()
        return begun

    async def tidy_of(self, tenant: TenantId) -> None:
        """The same for one shop, batch by committed batch."""
        while True:
            async with self._units.begin(tenant) as uow:
                scans = ScanRepository(uow)
                scan_id = await scans.lock_remains()
                if scan_id is None:
                    return
                if not await ScanNotes(uow, scan_id).forget(rows=_REMAINS):
                    await scans.save(scan_id, has_remains=False)
                await uow.commit()


def scan_sweeps(sweeps: ScanSweeps) -> list[Periodic]:
    """What the worker does again and again."""
    return [
        Periodic("duplicates.start_nightly", SWEEP_SECONDS, sweeps.start_nightly),
        Periodic("duplicates.tidy", SWEEP_SECONDS, sweeps.tidy),
    ]
