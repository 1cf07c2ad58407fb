"""Forgetting: events, deliveries and attempts older than they are kept, in small batches."""

from datetime import timedelta
from typing import Final

from gateway.events.repository import FeedRepository
from gateway.webhooks.log_retention import LogRetention
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
        for tenant_id in await self._units.tenants(TENANTS):
            while await self._forget_some(tenant_id) == _AT_ONCE:
                pass
            await self._forget_logs(tenant_id)

    async def _forget_some(self, tenant_id: TenantId) -> int:
        async with self._units.begin(tenant_id) as uow:
            before = uow.clock.now() - self._keep
            forgotten = await FeedRepository(uow).forget(before=before, limit=_AT_ONCE)
            await uow.commit()
        return forgotten

    async def _forget_logs(self, tenant_id: TenantId) -> None:
        endpoint_id = None
        while True:
            async with self._units.begin(tenant_id) as uow:
                logs = LogRetention(uow)
                endpoint_id = await logs.next_endpoint(endpoint_id)
                if endpoint_id is None:
                    return
                await logs.forget(endpoint_id, before=uow.clock.now() - self._keep)
                await uow.commit()
