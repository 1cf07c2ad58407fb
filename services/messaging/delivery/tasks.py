"""Sending as background work: woken after commits, and by a sweep when nobody woke it."""

import asyncio
from typing import Final
from uuid import UUID

import structlog

from services.messaging.delivery.service import Delivery
from services.messaging.delivery.smtp import SmtpConnections
from shared.db.sweeps import in_every_tenant
from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId
from shared.queue.producer import Waker
from shared.queue.worker import Job, Periodic

SEND: Final = "messages.send"
SWEEP_SECONDS: Final = 1.0
_AT_ONCE: Final = 8
_log = structlog.get_logger(__name__)


def send_job(delivery: Delivery, waker: Waker) -> Job:
    """Send what is due of one shop; ask to be run again when there is more."""

    async def send(tenant: str) -> None:
        tenant_id = TenantId(UUID(tenant))
        if await delivery.send_due(tenant_id):
            await waker.wake(tenant_id)

    return send


def send_sweep(units: UnitsOfWork, delivery: Delivery, connections: SmtpConnections) -> Periodic:
    """Find due messages and expired leases of all shops, without Redis."""

    async def sweep() -> None:
        await in_every_tenant(units, "tenants_with_leased_messages", delivery.expire_leases)
        waiting = await units.tenants("tenants_with_planned_messages")
        turns = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(*(_send(delivery, tenant_id, turns) for tenant_id in waiting))
        await connections.close_idle()

    return Periodic("messages.sweep", SWEEP_SECONDS, sweep)


async def _send(delivery: Delivery, tenant_id: TenantId, turns: asyncio.Semaphore) -> None:
    async with turns:
        try:
            await delivery.send_due(tenant_id)
        except Exception:  # noqa: BLE001  (one shop's trouble must not stop the others)
            _log.exception("sending_failed", tenant=tenant_id.hex)
