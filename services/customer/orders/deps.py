"""How the endpoints of `orders` get what they call."""

from typing import Annotated

from fastapi import Depends, Request

from services.customer.customers.repository import CustomerRepository
from services.customer.deps import Asked
from services.customer.families.seen import SeenPeople
from services.customer.following import order_followers
from services.customer.orders.figures_repository import OrderFiguresRepository
from services.customer.orders.part_repository import OrderPartRepository
from services.customer.orders.repository import OrderRepository
from services.customer.orders.service import OrderService


async def order_service(request: Request) -> OrderService:
    """What clients can do with orders."""
    asked = Asked.by(request)
    uow, sight = asked.uow, asked.sight
    return OrderService(
        uow=uow,
        orders=OrderRepository(uow),
        parts=OrderPartRepository(uow),
        figures=OrderFiguresRepository(uow),
        people=SeenPeople(uow, sight=sight),
        customers=CustomerRepository(uow, sight=sight),
        shops=asked.shops,
        sight=sight,
        followers=order_followers(uow),
    )


OrderServiceDep = Annotated[OrderService, Depends(order_service)]
