"""Forgetting by what it was told that somebody sent the same form twice."""

from datetime import timedelta
from typing import Final

from services.customer.leads.submission_repository import SubmissionRepository
from shared.db.sweeps import in_batches, in_every_tenant
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId
from shared.queue.worker import Periodic

LISTING: Final = "tenants_with_lead_fingerprints_to_forget"
SWEEP_SECONDS: Final = 3600.0
# Longer than the same counts as the same.
FINGERPRINT_LIFE: Final = timedelta(days=1)
_BATCH: Final = 1000


class FingerprintForgetting:
    """Forgets digests of what was sent by forms."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    async def sweep(self) -> None:
        """Forget in every shop that has something to be forgotten."""
        await in_every_tenant(self._units, LISTING, self.sweep_tenant)

    async def sweep_tenant(self, tenant_id: TenantId) -> None:
        """Forget in one shop, some at a time."""
        await in_batches(self._units, tenant_id, _forget, size=_BATCH)


async def _forget(uow: UnitOfWork) -> int:
    before = uow.clock.now() - FINGERPRINT_LIFE
    return await SubmissionRepository(uow).forget_fingerprints(before=before, at_most=_BATCH)


def fingerprint_forgetting(forgetting: FingerprintForgetting) -> Periodic:
    """The sweep as the worker repeats it."""
    return Periodic("leads.forget", SWEEP_SECONDS, forgetting.sweep)
