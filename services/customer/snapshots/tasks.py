"""The worker's part of snapshots."""

from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from services.customer.settings import CustomerSettings
from services.customer.snapshots.walking import SnapshotWalk
from shared.ids import TenantId
from shared.part.context import PartContext
from shared.queue.worker import Periodic

WALK: Final = "snapshots.walk"
SWEEP_SECONDS: Final = 5.0
# A job ends long before its time-out; the sweep, or the next wake-up, goes on.
_STEPS_AT_ONCE: Final = 100


class SnapshotWalker:
    """Walks the open snapshots of one tenant after the other."""

    def __init__(self, context: PartContext[CustomerSettings]) -> None:
        self._units = context.units
        self._batch = context.settings.snapshot_batch

    async def walk(self, tenant: str) -> None:
        """Go on with a tenant's snapshots, one committed batch after the other."""
        await self._walk(TenantId(UUID(tenant)))

    async def sweep(self) -> None:
        """Go on with whatever was interrupted or never begun."""
        for tenant in await self._units.tenants("tenants_with_open_snapshots"):
            await self._walk(tenant)

    async def _walk(self, tenant: TenantId) -> None:
        for _ in range(_STEPS_AT_ONCE):
            async with self._units.begin(tenant) as uow:
                has_worked = await SnapshotWalk(uow, batch=self._batch).step()
                await uow.commit()
            if not has_worked:
                return


def snapshot_jobs(walker: SnapshotWalker) -> dict[str, Callable[..., Awaitable[None]]]:
    """The job that a request wakes."""
    return {WALK: walker.walk}


def snapshot_sweep(walker: SnapshotWalker) -> Periodic:
    """The net under lost wake-ups."""
    return Periodic("snapshots.sweep", SWEEP_SECONDS, walker.sweep)
