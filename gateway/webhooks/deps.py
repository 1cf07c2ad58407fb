"""How the endpoints of webhooks get what they work with."""

from typing import Annotated

from fastapi import Depends

from gateway.deps import HouseDep
from gateway.events.repository import FeedRepository
from gateway.outgoing import OutgoingDep
from gateway.webhooks.delivery_repository import DeliveryRepository
from gateway.webhooks.repository import EndpointRepository
from gateway.webhooks.resending import DeliveryService
from gateway.webhooks.service import EndpointService
from shared.web.routing import UnitOfWorkDep


async def endpoint_service(
    house: HouseDep, outgoing: OutgoingDep, uow: UnitOfWorkDep
) -> EndpointService:
    """The webhook endpoints of the caller's shop."""
    return EndpointService(
        uow=uow,
        endpoints=EndpointRepository(uow),
        deliveries=DeliveryRepository(uow),
        guard=outgoing.guard,
        box=house.box,
    )


async def delivery_service(outgoing: OutgoingDep, uow: UnitOfWorkDep) -> DeliveryService:
    """What is sent to the caller's shop's endpoints."""
    return DeliveryService(
        uow=uow,
        endpoints=EndpointRepository(uow),
        deliveries=DeliveryRepository(uow),
        feed=FeedRepository(uow),
        wake=outgoing.waker.wake,
    )


WebhookEndpointServiceDep = Annotated[EndpointService, Depends(endpoint_service)]
WebhookDeliveryServiceDep = Annotated[DeliveryService, Depends(delivery_service)]
