"""The rating of an order goes with it: to its products, and to whose it is."""

from collections.abc import Sequence
from typing import Final

from services.customer.orders.news import OrderChange
from services.customer.orders.record import OrderRecord
from services.customer.reviews.repository import Review, ReviewRepository
from services.customer.reviews.telling import ReviewTelling
from services.customer.timeline.repository import TimelineRepository
from shared.db.unit_of_work import UnitOfWork

_MOST_PRODUCTS: Final = 100


def rated_products(order: OrderRecord) -> list[str]:
    """The products with which the rating of an order stands, each once."""
    products = dict.fromkeys(line.product_id for line in order.lines if line.product_id)
    return list(products)[:_MOST_PRODUCTS]


class OrderRatings:
    """Follows orders that were rated, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._reviews = ReviewRepository(uow)
        self._telling = ReviewTelling(
            uow=uow, reviews=self._reviews, timeline=TimelineRepository(uow)
        )

    async def follow(self, changes: Sequence[OrderChange]) -> None:
        """Take ratings along; the customers of the orders are locked."""
        moved = {change.after.id: change.after for change in changes if _moves(change)}
        for rating in await self._reviews.lock_of_orders(moved) if moved else ():
            await self._take_along(rating, moved[rating.order_id])

    async def _take_along(self, rating: Review, order: OrderRecord) -> None:
        before, after = await self._reviews.products_of(rating.id), rated_products(order)
        gone = [product for product in before if product not in after]
        new = [product for product in after if product not in before]
        await self._reviews.unlink(rating.id, gone)
        await self._reviews.link(rating, new)
        await self._telling.of_other_products(rating, gone=gone, new=new)
        if rating.customer_id != order.customer_id:
            changes = {"customer_id": order.customer_id, "updated_at": self._uow.clock.now()}
            await self._telling.of_other_customer(await self._reviews.save(rating.id, changes))


def _moves(change: OrderChange) -> bool:
    before, after = change.before, change.after
    return before is not None and (
        before.customer_id != after.customer_id or rated_products(before) != rated_products(after)
    )
