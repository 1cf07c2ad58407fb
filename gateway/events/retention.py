"""Forgetting events that are older than they are kept, in small batches."""

from datetime import timedelta
from typing import Final

from gateway.events.repository import FeedRepository
from shared.db.sweeps import in_every_tenant
from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId

SWEEP_SECONDS: Final = 600.0
TENANTS: Final = "tenants_with_events"
_AT_ONCE: Final = 2000


class Retention:
    """Keeps the feeds of all shops to a length of time."""

    def __init__(self, *, units: UnitsOfWork, keep: timedelta) -> None:
        self._units = units
        self._keep = keep

    async def sweep(self) -> None:
        """Forget what is too old, in every shop."""
        await in_every_tenant(self._units, TENANTS, self._forget)

    async def _forget(self, tenant_id: TenantId) -> None:
        while await self._forget_some(tenant_id) == _AT_ONCE:
            pass

    async def _forget_some(self, tenant_id: TenantId) -> int:
        async with self._units.begin(tenant_id) as uow:
            before = uow.clock.now() - self._keep
            forgotten = await FeedRepository(uow).forget(before=before, limit=_AT_ONCE)
            await uow.commit()
        return forgotten
