"""Forgetting what was collected of people: previews, and that files were made."""

from datetime import datetime, timedelta
from typing import Final

from services.customer.privacy.collecting import Collecting
from shared.db.forgetting import FORGETTING_SECONDS, Forgetting, Passing
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.queue.worker import Periodic


async def _forget_collections(uow: UnitOfWork, before: datetime, at_most: int) -> int:
    return await Collecting(uow).forget_old(before=before, at_most=at_most)


COLLECTIONS: Final = Passing(
    "tenants_with_collections_to_forget",
    # As long as an erasure may take by the law that gives it most time, before it is put off.
    timedelta(days=30),
    _forget_collections,
    at_once=100,
)


def collection_forgetting(units: UnitsOfWork) -> Periodic:
    """Previews, and the notes of files that are gone, are not kept for ever."""
    return Periodic("privacy.forget", FORGETTING_SECONDS, Forgetting(units, COLLECTIONS).sweep)
