"""Forgetting what platforms delivered: its body goes, and the row by which it is known stays."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Final

from gateway.deliveries.repository import DeliveryRepository
from gateway.deliveries.schemas import DeliveryStatus
from shared.db.sweeps import in_batches, in_every_tenant
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId
from shared.queue.worker import Periodic

LISTING: Final = "tenants_with_deliveries_to_forget"
SWEEP_SECONDS: Final = 3600.0
# Each may have megabytes beside its row.
_BATCH: Final = 200


class DeliveryForgetting:
    """Empties bodies when their time is over, which began when they came.

    `read` is how long those are kept that something came of, `unread` all others: nothing says of
    whom they are, so that an erasure does not find them.
    """

    def __init__(self, units: UnitsOfWork, *, read: timedelta, unread: timedelta) -> None:
        self._units = units
        self._periods: Mapping[DeliveryStatus, timedelta] = {
            DeliveryStatus.FAILED: unread,
            DeliveryStatus.IGNORED: unread,
            DeliveryStatus.PROCESSED: read,
        }

    async def sweep(self) -> None:
        """Forget in every shop that has something to be forgotten."""
        await in_every_tenant(self._units, LISTING, self.sweep_tenant)

    async def sweep_tenant(self, tenant_id: TenantId) -> None:
        """Forget in one shop, some at a time."""
        for status in self._periods:
            await in_batches(self._units, tenant_id, partial(self._forget, status), size=_BATCH)

    async def _forget(self, status: DeliveryStatus, uow: UnitOfWork) -> int:
        before = uow.clock.now() - self._periods[status]
        return await DeliveryRepository(uow).forget(status, before=before, limit=_BATCH)


def delivery_forgetting(forgetting: DeliveryForgetting) -> Periodic:
    """The sweep as the worker repeats it."""
    return Periodic("deliveries.forget", SWEEP_SECONDS, forgetting.sweep)
