"""Forgetting what was collected of people: previews, and that files were made."""

from datetime import timedelta
from typing import Final

from services.customer.privacy.collecting import Collecting
from shared.db.sweeps import in_batches, in_every_tenant
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId
from shared.queue.worker import Periodic

LISTING: Final = "tenants_with_collections_to_forget"
SWEEP_SECONDS: Final = 3600.0
# As long as an erasure may take by the law that gives it most time, before it is put off.
COLLECTION_LIFE: Final = timedelta(days=30)
_BATCH: Final = 100


class CollectionForgetting:
    """Forgets previews, and the notes of files that are gone."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    async def sweep(self) -> None:
        """Forget in every shop that has something to be forgotten."""
        await in_every_tenant(self._units, LISTING, self.sweep_tenant)

    async def sweep_tenant(self, tenant_id: TenantId) -> None:
        """Forget in one shop, some at a time."""
        await in_batches(self._units, tenant_id, _forget, size=_BATCH)


async def _forget(uow: UnitOfWork) -> int:
    before = uow.clock.now() - COLLECTION_LIFE
    return await Collecting(uow).forget_old(before=before, at_most=_BATCH)


def collection_forgetting(forgetting: CollectionForgetting) -> Periodic:
    """The sweep as the worker repeats it."""
    return Periodic("privacy.forget", SWEEP_SECONDS, forgetting.sweep)
