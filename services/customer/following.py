"""Who follows orders and changes of people in the unit of work that takes them in."""

from collections.abc import Sequence

from services.customer.duplicate_scans.weighing import PairWeighing
from services.customer.duplicates.weighing import Weighing
from services.customer.orders.news import OrderFollower
from services.customer.referrals.rewarding import OrderEarning
from services.customer.reviews.order_ratings import OrderRatings
from shared.db.unit_of_work import UnitOfWork


def pair_weighing(uow: UnitOfWork) -> Weighing:
    """Who keeps duplicate candidates true when a person was changed."""
    return PairWeighing(uow)


def order_followers(uow: UnitOfWork) -> Sequence[OrderFollower]:
    """All of them."""
    return [OrderEarning(uow), OrderRatings(uow)]
