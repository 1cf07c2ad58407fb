"""Who follows orders in the unit of work that takes them in, wherever that is."""

from collections.abc import Sequence

from services.customer.orders.keeping import OrderFollower
from services.customer.referrals.rewarding import OrderEarning
from shared.db.unit_of_work import UnitOfWork


def order_followers(uow: UnitOfWork) -> Sequence[OrderFollower]:
    """All of them."""
    return [OrderEarning(uow)]
