"""Forgetting by what it was told that somebody sent the same form twice."""

from datetime import datetime, timedelta
from typing import Final

from services.customer.leads.submission_repository import SubmissionRepository
from shared.db.forgetting import FORGETTING_SECONDS, Forgetting, Passing
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.queue.worker import Periodic


async def _forget_fingerprints(uow: UnitOfWork, before: datetime, at_most: int) -> int:
    return await SubmissionRepository(uow).forget_fingerprints(before=before, at_most=at_most)


FINGERPRINTS: Final = Passing(
    "tenants_with_lead_fingerprints_to_forget",
    # Longer than the same counts as the same.
    timedelta(days=1),
    _forget_fingerprints,
)


def fingerprint_forgetting(units: UnitsOfWork) -> Periodic:
    """Digests of what was sent by forms are not kept for ever."""
    return Periodic("leads.forget", FORGETTING_SECONDS, Forgetting(units, FINGERPRINTS).sweep)
