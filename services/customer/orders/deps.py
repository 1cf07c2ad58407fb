"""How the endpoints of `orders` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.customers.repository import CustomerRepository
from services.customer.deps import AskedDep
from services.customer.families.seen import SeenPeople
from services.customer.following import order_followers
from services.customer.orders.part_repository import OrderPartRepository
from services.customer.orders.repository import OrderRepository
from services.customer.orders.service import OrderService
from services.customer.timeline.repository import TimelineRepository


async def order_service(asked: AskedDep) -> OrderService:
    """What clients can do with orders."""
    uow, sight = asked.uow, asked.sight
    return OrderService(
        uow=uow,
        orders=OrderRepository(uow),
        parts=OrderPartRepository(uow),
        people=SeenPeople(uow, sight=sight),
        customers=CustomerRepository(uow, sight=sight),
        timeline=TimelineRepository(uow),
        shops=asked.shops,
        sight=sight,
        followers=order_followers(uow),
    )


OrderServiceDep = Annotated[OrderService, Depends(order_service)]
