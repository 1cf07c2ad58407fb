"""Forgetting what platforms delivered: its body goes, and the row by which it is known stays."""

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from gateway.deliveries.repository import DeliveryRepository
from gateway.deliveries.schemas import DeliveryStatus
from shared.db.forgetting import FORGETTING_SECONDS, Forgetting, Passing
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.queue.worker import Periodic

LISTING: Final = "tenants_with_deliveries_to_forget"
# Each may have megabytes beside its row.
_BATCH: Final = 200


async def _forget(status: DeliveryStatus, uow: UnitOfWork, before: datetime, at_most: int) -> int:
    return await DeliveryRepository(uow).forget(status, before=before, limit=at_most)


def delivery_forgetting(units: UnitsOfWork, *, read: timedelta, unread: timedelta) -> Periodic:
    """Bodies are emptied when their time is over, which began when they came.

    `read` is how long those are kept that something came of, `unread` all others: nothing says of
    whom they are, so that an erasure does not find them.
    """
    lives = {
        DeliveryStatus.FAILED: unread,
        DeliveryStatus.IGNORED: unread,
        DeliveryStatus.PROCESSED: read,
    }
    kinds = (Passing(LISTING, life, partial(_forget, of), _BATCH) for of, life in lives.items())
    return Periodic("deliveries.forget", FORGETTING_SECONDS, Forgetting(units, *kinds).sweep)
