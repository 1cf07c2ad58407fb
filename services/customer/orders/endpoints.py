"""`/v1/orders`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response, status

from services.customer.orders.deps import OrderServiceDep
from services.customer.orders.figures_schemas import OrderFigures
from services.customer.orders.part_schemas import (
    OrderFulfillmentList,
    OrderFulfillmentRead,
    OrderFulfillmentWrite,
    OrderPaymentList,
    OrderPaymentRead,
    OrderPaymentWrite,
    OrderRefundList,
    OrderRefundRead,
    OrderRefundWrite,
    OrderReturnList,
    OrderReturnRead,
    OrderReturnWrite,
)
from services.customer.orders.parts import OrderParts
from services.customer.orders.read_schemas import OrderRead, OrderSummary, order_json, summary_json
from services.customer.orders.record import OrderRecord
from services.customer.orders.schemas import OrderCancel, OrderCreate
from shared.db.paging import PageRequest
from shared.web.answers import json_answer
from shared.web.resources import Page, etag, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1", tag="orders")

_READ = requires("orders:read")
_WRITE = requires("orders:write")


@router.post(
    "/orders",
    status_code=status.HTTP_201_CREATED,
    operation_id="orders.create",
    response_model=OrderRead,
    dependencies=[_WRITE],
    responses={200: {"model": OrderRead, "description": "The order was there; it is now as sent"}},
)
async def create_order(body: OrderCreate, orders: OrderServiceDep) -> Response:
    """Store an order of a customer; their totals, stage and value follow.

    The same `source` and `external_id` sent again are the same order: it is updated, unless
    `changed_at` is older than what is known.
    """
    order, created = await orders.put(body)
    return _answer(
        order,
        await orders.parts_of(order),
        status=status.HTTP_201_CREATED if created else status.HTTP_200_OK,
        location=f"/v1/orders/{order.id}",
    )


@router.get(
    "/orders/{order_id}",
    operation_id="orders.get",
    response_model=OrderRead,
    dependencies=[_READ],
)
async def get_order(order_id: UUID, orders: OrderServiceDep) -> Response:
    """Get an order with its lines, payments, refunds, returns and fulfillments."""
    order = await orders.get(order_id)
    return _answer(order, await orders.parts_of(order))


@router.post(
    "/orders/{order_id}/cancel",
    operation_id="orders.cancel",
    response_model=OrderRead,
    dependencies=[_WRITE],
)
async def cancel_order(order_id: UUID, body: OrderCancel, orders: OrderServiceDep) -> Response:
    """Call an order off: it counts no longer. Done twice, it is done once."""
    order = await orders.cancel(order_id, body)
    return _answer(order, await orders.parts_of(order))


@router.get("/orders/{order_id}/payments", operation_id="orders.listPayments", dependencies=[_READ])
async def list_order_payments(order_id: UUID, orders: OrderServiceDep) -> OrderPaymentList:
    """List the payments of an order."""
    order = await orders.get(order_id)
    parts = await orders.parts_of(order)
    return OrderPaymentList(data=[OrderPaymentRead.of(part, order) for part in parts.payments])


@router.post(
    "/orders/{order_id}/payments",
    status_code=status.HTTP_201_CREATED,
    operation_id="orders.putPayment",
    dependencies=[_WRITE],
    responses={200: {"model": OrderPaymentRead, "description": "It was there; it is as sent"}},
)
async def put_order_payment(
    order_id: UUID, body: OrderPaymentWrite, response: Response, orders: OrderServiceDep
) -> OrderPaymentRead:
    """Tell of a payment; payments of the whole total make an open order a paid one."""
    order, part, created = await orders.take_part(order_id, body)
    response.status_code = status.HTTP_201_CREATED if created else status.HTTP_200_OK
    return OrderPaymentRead.of(part, order)


@router.get("/orders/{order_id}/refunds", operation_id="orders.listRefunds", dependencies=[_READ])
async def list_order_refunds(order_id: UUID, orders: OrderServiceDep) -> OrderRefundList:
    """List the refunds of an order."""
    order = await orders.get(order_id)
    parts = await orders.parts_of(order)
    return OrderRefundList(data=[OrderRefundRead.of(part, order) for part in parts.refunds])


@router.post(
    "/orders/{order_id}/refunds",
    status_code=status.HTTP_201_CREATED,
    operation_id="orders.putRefund",
    dependencies=[_WRITE],
    responses={200: {"model": OrderRefundRead, "description": "It was there; it is as sent"}},
)
async def put_order_refund(
    order_id: UUID, body: OrderRefundWrite, response: Response, orders: OrderServiceDep
) -> OrderRefundRead:
    """Tell of money that went back; the customer's totals and points follow at once."""
    order, part, created = await orders.take_part(order_id, body)
    response.status_code = status.HTTP_201_CREATED if created else status.HTTP_200_OK
    return OrderRefundRead.of(part, order)


@router.get("/orders/{order_id}/returns", operation_id="orders.listReturns", dependencies=[_READ])
async def list_order_returns(order_id: UUID, orders: OrderServiceDep) -> OrderReturnList:
    """List the returns of an order."""
    order = await orders.get(order_id)
    parts = await orders.parts_of(order)
    return OrderReturnList(data=[OrderReturnRead.of(part, order) for part in parts.returns])


@router.post(
    "/orders/{order_id}/returns",
    status_code=status.HTTP_201_CREATED,
    operation_id="orders.putReturn",
    dependencies=[_WRITE],
    responses={200: {"model": OrderReturnRead, "description": "It was there; it is as sent"}},
)
async def put_order_return(
    order_id: UUID, body: OrderReturnWrite, response: Response, orders: OrderServiceDep
) -> OrderReturnRead:
    """Tell of goods that are to come back, came back, or were not taken back."""
    order, part, created = await orders.take_part(order_id, body)
    response.status_code = status.HTTP_201_CREATED if created else status.HTTP_200_OK
    return OrderReturnRead.of(part, order)


@router.get(
    "/orders/{order_id}/fulfillments",
    operation_id="orders.listFulfillments",
    dependencies=[_READ],
)
async def list_order_fulfillments(order_id: UUID, orders: OrderServiceDep) -> OrderFulfillmentList:
    """List the parcels of an order."""
    order = await orders.get(order_id)
    found = (await orders.parts_of(order)).fulfillments
    return OrderFulfillmentList(data=[OrderFulfillmentRead.of(part, order) for part in found])


@router.post(
    "/orders/{order_id}/fulfillments",
    status_code=status.HTTP_201_CREATED,
    operation_id="orders.putFulfillment",
    dependencies=[_WRITE],
    responses={200: {"model": OrderFulfillmentRead, "description": "It was there; it is as sent"}},
)
async def put_order_fulfillment(
    order_id: UUID, body: OrderFulfillmentWrite, response: Response, orders: OrderServiceDep
) -> OrderFulfillmentRead:
    """Tell of a parcel: that it is packed, on its way, has arrived."""
    order, part, created = await orders.take_part(order_id, body)
    response.status_code = status.HTTP_201_CREATED if created else status.HTTP_200_OK
    return OrderFulfillmentRead.of(part, order)


@router.get(
    "/customers/{customer_id}/orders",
    operation_id="customers.listOrders",
    response_model=Page[OrderSummary],
    dependencies=[_READ],
)
async def list_orders_of_customer(
    customer_id: UUID,
    orders: OrderServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
) -> Response:
    """List a customer's orders, newest first; `GET /v1/orders/{id}` has the lines."""
    records, cursor = await orders.list_of(customer_id, request)
    return json_answer({"data": [summary_json(order) for order in records], "next_cursor": cursor})


@router.get(
    "/customers/{customer_id}/order-figures",
    operation_id="customers.getOrderFigures",
    dependencies=[_READ],
)
async def get_order_figures(customer_id: UUID, orders: OrderServiceDep) -> OrderFigures:
    """Get what a customer's orders come to, by currency, all records of the person together."""
    root_id, rows = await orders.figures_of(customer_id)
    return OrderFigures.of(root_id, rows, now=orders.now())


def _answer(
    order: OrderRecord,
    parts: OrderParts,
    *,
    status: int = status.HTTP_200_OK,
    location: str | None = None,
) -> Response:
    headers = {"etag": etag(order.version)} | ({"location": location} if location else {})
    return json_answer(order_json(order, parts), status=status, headers=headers)
