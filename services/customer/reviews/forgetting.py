"""Forgetting by what reviews of people who are not logged in were judged."""

from datetime import timedelta
from typing import Final

from services.customer.reviews.repository import ReviewRepository
from shared.db.sweeps import in_batches, in_every_tenant
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId
from shared.queue.worker import Periodic

FINGERPRINTS: Final = "tenants_with_review_fingerprints_to_forget"
ADDRESSES: Final = "tenants_with_review_addresses_to_forget"
SWEEP_SECONDS: Final = 3600.0
# Longer than the same counts as the same.
FINGERPRINT_LIFE: Final = timedelta(days=1)
# As long as somebody may want to know where a flood of them came from.
ADDRESS_LIFE: Final = timedelta(days=30)
_BATCH: Final = 1000


class ReviewForgetting:
    """Forgets digests of what was sent, and the addresses that it was sent from."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    async def sweep(self) -> None:
        """Forget in every shop that has something to be forgotten."""
        await in_every_tenant(self._units, FINGERPRINTS, self._forget_fingerprints)
        await in_every_tenant(self._units, ADDRESSES, self._forget_addresses)

    async def _forget_fingerprints(self, tenant_id: TenantId) -> None:
        await in_batches(self._units, tenant_id, _forget_fingerprints, size=_BATCH)

    async def _forget_addresses(self, tenant_id: TenantId) -> None:
        await in_batches(self._units, tenant_id, _forget_addresses, size=_BATCH)


async def _forget_fingerprints(uow: UnitOfWork) -> int:
    before = uow.clock.now() - FINGERPRINT_LIFE
    return await ReviewRepository(uow).forget_fingerprints(before=before, at_most=_BATCH)


async def _forget_addresses(uow: UnitOfWork) -> int:
    before = uow.clock.now() - ADDRESS_LIFE
    return await ReviewRepository(uow).forget_addresses(before=before, at_most=_BATCH)


def review_forgetting(forgetting: ReviewForgetting) -> Periodic:
    """The sweep as the worker repeats it."""
    return Periodic("reviews.forget", SWEEP_SECONDS, forgetting.sweep)
