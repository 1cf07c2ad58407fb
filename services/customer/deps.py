"""How the customer service is wired, for each request."""

from typing import Annotated, cast

from fastapi import Depends, Request

from services.customer.customers.repository import CustomerRepository
from services.customer.customers.search import CustomerLists
from services.customer.customers.service import CustomerService
from services.customer.duplicates.repository import DuplicateRepository
from services.customer.orders.repository import OrderRepository
from services.customer.orders.service import OrderService
from services.customer.tenants.shops import Shop, Shops
from services.customer.timeline.repository import TimelineRepository
from shared.web.context import context_of
from shared.web.routing import UnitOfWorkDep


async def current_shops(request: Request) -> Shops:
    """The shops that this process remembers."""
    return cast("Shops", request.app.state.shops)


ShopsDep = Annotated[Shops, Depends(current_shops)]


async def current_shop(uow: UnitOfWorkDep, shops: ShopsDep) -> Shop:
    """The caller's shop."""
    return await shops.of(uow)


async def customer_lists(uow: UnitOfWorkDep) -> CustomerLists:
    """Lists, in the unit of work of the request."""
    return CustomerLists(uow)


async def customer_service(
    uow: UnitOfWorkDep, request: Request, shops: ShopsDep
) -> CustomerService:
    """The customer service, in the unit of work of the request."""
    return CustomerService(
        uow=uow,
        customers=CustomerRepository(uow),
        duplicates=DuplicateRepository(uow),
        timeline=TimelineRepository(uow),
        codes=context_of(request).codes,
        shops=shops,
    )


async def order_service(uow: UnitOfWorkDep, shops: ShopsDep) -> OrderService:
    """The order service, in the unit of work of the request."""
    return OrderService(
        uow=uow,
        orders=OrderRepository(uow),
        customers=CustomerRepository(uow),
        timeline=TimelineRepository(uow),
        shops=shops,
    )


ShopDep = Annotated[Shop, Depends(current_shop)]
CustomerListsDep = Annotated[CustomerLists, Depends(customer_lists)]
CustomerServiceDep = Annotated[CustomerService, Depends(customer_service)]
OrderServiceDep = Annotated[OrderService, Depends(order_service)]
