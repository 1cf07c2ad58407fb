"""Forgetting by what reviews of people who are not logged in were judged."""

from datetime import datetime, timedelta
from typing import Final

from services.customer.reviews.sender_repository import SenderRepository
from shared.db.forgetting import FORGETTING_SECONDS, Forgetting, Passing
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.queue.worker import Periodic


async def _forget_fingerprints(uow: UnitOfWork, before: datetime, at_most: int) -> int:
    return await SenderRepository(uow).forget_fingerprints(before=before, at_most=at_most)


async def _forget_addresses(uow: UnitOfWork, before: datetime, at_most: int) -> int:
    return await SenderRepository(uow).forget_addresses(before=before, at_most=at_most)


FINGERPRINTS: Final = Passing(
    "tenants_with_review_fingerprints_to_forget",
    # Longer than the same counts as the same.
    timedelta(days=1),
    _forget_fingerprints,
)
ADDRESSES: Final = Passing(
    "tenants_with_review_addresses_to_forget",
    # As long as somebody may want to know where a flood of them came from.
    timedelta(days=30),
    _forget_addresses,
)


def review_forgetting(units: UnitsOfWork) -> Periodic:
    """Digests of what was sent, and the addresses that it was sent from, are not kept for ever."""
    sweep = Forgetting(units, FINGERPRINTS, ADDRESSES).sweep
    return Periodic("reviews.forget", FORGETTING_SECONDS, sweep)
