"""Goes on with work over whole shops, in the worker."""

import asyncio
from typing import Final
from uuid import UUID

import structlog

from services.segmentation.wiring import Wiring
from shared.db.failures import again_on_conflict, is_conflict, is_outage
from shared.ids import TenantId

LISTING: Final = "tenants_with_runs"
# A job of the queue is killed after a minute; what is left then is taken up by the next.
_SECONDS: Final = 20
_log = structlog.get_logger(__name__)


class RunWork:
    """The work that waits in the shops of this installation."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._units = wiring.context.units

    async def go_on(self, tenant: str) -> None:
        """Do a shop's work for a while; the worker is woken again when there is more."""
        tenant_id = TenantId(UUID(tenant))
        clock = asyncio.get_running_loop()
        until = clock.time() + _SECONDS
        while await self.step(tenant_id):
            if clock.time() > until:
                await self._wiring.waker.wake(tenant_id)
                return

    async def sweep(self) -> None:
        """The net under lost wake-ups: do what waits anywhere."""
        for tenant_id in await self._units.tenants(LISTING):
            try:
                await self.go_on(tenant_id.hex)
            except Exception:  # noqa: BLE001  (one shop's trouble must not stop the others' work)
                _log.exception("runs_failed", tenant=tenant_id.hex)

    async def step(self, tenant_id: TenantId) -> bool:
        """Do one step of a shop's oldest work; False when there is none that can go on."""
        return await again_on_conflict(lambda: self._step(tenant_id))

    async def _step(self, tenant_id: TenantId) -> bool:
        async with self._units.begin(tenant_id) as uow:
            run = await self._wiring.runs(uow).take()
            if run is None:
                return False
            try:
                await self._wiring.steps(uow).take(run)
                await uow.commit()
            except Exception as error:
                await uow.close()
                if is_conflict(error) or is_outage(error):
                    raise
                _log.exception("run_failed", job=run.job_id.hex)
                await self._note_failure(tenant_id, run.job_id, error)
                return False
        return True

    async def _note_failure(self, tenant_id: TenantId, job_id: UUID, error: Exception) -> None:
        async with self._units.begin(tenant_id) as uow:
            await self._wiring.runs(uow).failed(job_id, type(error).__name__)
            await uow.commit()
