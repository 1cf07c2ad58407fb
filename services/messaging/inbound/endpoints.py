"""`/v1/inbound-messages`: what people write to the shop."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from services.messaging.deps import InboundServiceDep
from services.messaging.inbound.records import InboundChannel
from services.messaging.inbound.schemas import (
    InboundMessageCreate,
    InboundMessageRead,
)
from shared.db.paging import PageRequest
from shared.web.resources import Page, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/inbound-messages", tag="inbound-messages")


@router.post(
    "",
    status_code=201,
    operation_id="inboundMessages.create",
    dependencies=[requires("inbound:write")],
    responses={200: {"model": InboundMessageRead, "description": "Received before"}},
)
async def receive_inbound_message(
    body: InboundMessageCreate, service: InboundServiceDep, response: Response
) -> InboundMessageRead:
    """Hand in a message that a person wrote. Support makes a ticket of it or adds it to one.

    The channel's `external_id` makes it one message however often it is handed in: 201 the first
    time, 200 with the same message after that.
    """
    message, is_new = await service.receive(body)
    response.status_code = 201 if is_new else 200
    return InboundMessageRead.of(message)


@router.get("", operation_id="inboundMessages.list", dependencies=[requires("inbound:read")])
async def list_inbound_messages(
    service: InboundServiceDep,
    paging: Annotated[PageRequest, Depends(page_request)],
    customer_id: UUID | None = None,
    channel: InboundChannel | None = None,
) -> Page[InboundMessageRead]:
    """Messages that came in, received last first."""
    messages, cursor = await service.list_page(paging, customer_id=customer_id, channel=channel)
    return Page(data=[InboundMessageRead.of(each) for each in messages], next_cursor=cursor)
