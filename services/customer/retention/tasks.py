"""Runs as jobs, and those of the night."""

from typing import Final

from services.customer.erased.identities import IdentityDigests
from services.customer.privacy.erasing import Erasing
from services.customer.privacy.wiring import customer_privacy
from services.customer.retention.running import RetentionRun
from services.customer.retention.schemas import KIND
from services.customer.retention.service import RetentionService
from services.customer.tenants.shops import Shops
from shared.db.sweeps import in_every_tenant
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId
from shared.jobs.files import JobFiles
from shared.jobs.repository import JobRepository
from shared.jobs.schemas import JobRead
from shared.jobs.work import HeldJob, JobKind, JobKinds, Step
from shared.queue.worker import Periodic
from shared.security.keys import RootKey, SecretBox

LISTING: Final = "tenants_with_retention_rules"
SWEEP_SECONDS: Final = 60.0


class RetentionRunJob(JobKind):
    """Rules are followed one after the other; what a page has emptied is committed with it."""

    name = KIND

    def __init__(self, *, schema: str, root: RootKey, shops: Shops, page_size: int) -> None:
        self._schema = schema
        self._root = root
        self._shops = shops
        self._page_size = page_size
        self._privacy = customer_privacy(root)

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        """Look at the next page of people, or of what they have."""
        return await (await self._run(uow, job)).step()

    async def clean_up(self, uow: UnitOfWork, job: HeldJob) -> None:
        """The run says how it ended."""
        await (await self._run(uow, job)).end("cancelled" if job.is_cancelled else "failed")

    def may_retry(self, _job: JobRead) -> bool:
        """Another run looks at everybody, too."""
        return False

    async def _run(self, uow: UnitOfWork, job: HeldJob) -> RetentionRun:
        return RetentionRun(
            uow,
            job=job,
            shop=await self._shops.of(uow),
            erasing=Erasing(
                uow=uow,
                privacy=self._privacy,
                secrets=SecretBox(self._root),
                digests=IdentityDigests(self._root),
            ),
            files=JobFiles(uow, schema=self._schema),
            page_size=self._page_size,
        )


class RetentionNights:
    """Begins the run of the night in every shop that has active rules."""

    def __init__(self, units: UnitsOfWork, kinds: JobKinds) -> None:
        self._units = units
        self._kinds = kinds
        self._shops = Shops()

    async def sweep(self) -> None:
        """Once a night of each shop, by its own clocks."""
        await in_every_tenant(self._units, LISTING, self.sweep_tenant)

    async def sweep_tenant(self, tenant_id: TenantId) -> bool:
        """The same for one shop; whether a run was begun."""
        async with self._units.begin(tenant_id) as uow:
            retention = RetentionService(
                uow,
                shop=await self._shops.of(uow),
                jobs=JobRepository(uow, schema=self._units.schema),
                kinds=self._kinds,
            )
            begun = await retention.start_nightly()
            if begun:
                await uow.commit()
        return begun


def retention_nights(nights: RetentionNights) -> Periodic:
    """The sweep as the worker repeats it."""
    return Periodic("retention.nightly", SWEEP_SECONDS, nights.sweep)
