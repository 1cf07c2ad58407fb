"""Who follows orders in the unit of work that takes them in, wherever that is."""

from collections.abc import Sequence

from services.customer.loyalty.earning import OrderEarning
from services.customer.orders.keeping import OrderFollower
from shared.db.unit_of_work import UnitOfWork


def order_followers(uow: UnitOfWork) -> Sequence[OrderFollower]:
    """All of them."""
    return [OrderEarning(uow)]
