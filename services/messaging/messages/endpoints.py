"""`/v1/messages`: the ledger of everything that was to be sent."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from services.messaging.deps import MessageServiceDep
from services.messaging.messages.records import Origin, Status
from services.messaging.messages.schemas import MessageCreate, MessageDecision, MessageRead
from shared.db.paging import PageRequest
from shared.errors import FieldError, Invalid
from shared.web.resources import Page, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/messages", tag="messages")
_STATUSES: frozenset[str] = frozenset(Status.__args__)  # type: ignore[attr-defined]


async def _wanted_statuses(
    status: Annotated[
        str | None,
        Query(max_length=100, description="Several with commas", examples=["sent,suppressed"]),
    ] = None,
) -> frozenset[str]:
    wanted = frozenset(status.split(",")) if status else frozenset()
    if unknown := wanted - _STATUSES:
        fault = FieldError("/query/status", "unknown", f"no status {', '.join(sorted(unknown))}")
        raise Invalid(errors=[fault])
    return wanted


@router.post(
    "",
    status_code=201,
    operation_id="messages.create",
    dependencies=[requires("messages:write")],
)
async def create_message(
    body: MessageCreate, service: MessageServiceDep, response: Response
) -> MessageRead:
    """Send a message by template to a customer or an address.

    It is written into the ledger at once and sent within moments; look at it again to see how it
    went. Send an `Idempotency-Key` so that a repeated request does not send a second message.
    """
    message = await service.create(body)
    response.headers["Location"] = f"/v1/messages/{message.id}"
    return MessageRead.of(message)


@router.get("", operation_id="messages.list", dependencies=[requires("messages:read")])
async def list_messages(
    service: MessageServiceDep,
    paging: Annotated[PageRequest, Depends(page_request)],
    statuses: Annotated[frozenset[str], Depends(_wanted_statuses)],
    customer_id: UUID | None = None,
    origin: Origin | None = None,
    origin_id: UUID | None = None,
) -> Page[MessageRead]:
    """Messages to everybody, to one customer, or from one origin; planned last first."""
    messages, cursor = await service.list_page(
        paging, statuses=statuses, customer_id=customer_id, origin=origin, origin_id=origin_id
    )
    return Page(data=[MessageRead.of(each) for each in messages], next_cursor=cursor)


@router.get("/{message_id}", operation_id="messages.get", dependencies=[requires("messages:read")])
async def get_message(message_id: UUID, service: MessageServiceDep) -> MessageRead:
    """One message and how it went.

    `unknown` means that the provider may or may not have taken it: nobody can tell, so it is not
    sent again by itself.
    """
    return MessageRead.of(await service.get(message_id))


@router.get(
    "/{message_id}/decision",
    operation_id="messages.decision",
    dependencies=[requires("messages:read")],
)
async def get_decision(message_id: UUID, service: MessageServiceDep) -> MessageDecision:
    """Why a message was or was not sent: each rule with its evidence.

    The consent record that was found, the suppression, and the counters of every frequency cap.
    """
    return MessageDecision.of(await service.get(message_id))


@router.post(
    "/{message_id}/cancel",
    operation_id="messages.cancel",
    dependencies=[requires("messages:write")],
)
async def cancel_message(message_id: UUID, service: MessageServiceDep) -> MessageRead:
    """Call off a message that has not left yet. Doing it twice is the same as once."""
    return MessageRead.of(await service.cancel(message_id))
