"""`/v1/orders`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response, status

from services.customer.orders.deps import OrderServiceDep
from services.customer.orders.schemas import OrderCreate, OrderRead, OrderSummary
from shared.db.paging import PageRequest
from shared.web.resources import Page, etag, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1", tag="orders")


@router.post(
    "/orders",
    status_code=status.HTTP_201_CREATED,
    operation_id="orders.create",
    dependencies=[requires("orders:write")],
    responses={200: {"model": OrderRead, "description": "The order was there; it is now as sent"}},
)
async def create_order(body: OrderCreate, response: Response, orders: OrderServiceDep) -> OrderRead:
    """Store an order of a customer; their totals, stage and value follow.

    The same `source` and `external_id` sent again are the same order: it is updated, unless
    `changed_at` is older than what is known.
    """
    order, created = await orders.put(body)
    response.status_code = status.HTTP_201_CREATED if created else status.HTTP_200_OK
    response.headers["location"] = f"/v1/orders/{order.id}"
    response.headers["etag"] = etag(order.version)
    return OrderRead.of(order)


@router.get("/orders/{order_id}", operation_id="orders.get", dependencies=[requires("orders:read")])
async def get_order(order_id: UUID, response: Response, orders: OrderServiceDep) -> OrderRead:
    """Get an order with its lines."""
    order = await orders.get(order_id)
    response.headers["etag"] = etag(order.version)
    return OrderRead.of(order)


@router.get(
    "/customers/{customer_id}/orders",
    operation_id="customers.listOrders",
    dependencies=[requires("orders:read")],
)
async def list_orders_of_customer(
    customer_id: UUID,
    orders: OrderServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
) -> Page[OrderSummary]:
    """List a customer's orders, newest first; `GET /v1/orders/{id}` has the lines."""
    records, cursor = await orders.list_of(customer_id, request)
    return Page(data=[OrderSummary.of(order) for order in records], next_cursor=cursor)
