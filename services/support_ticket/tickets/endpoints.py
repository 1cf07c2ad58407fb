"""`/v1/tickets`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from services.support_ticket.deps import (
    CallerDep,
    ReplyServiceDep,
    TicketFilterDep,
    TicketServiceDep,
    TicketSlaServiceDep,
)
from services.support_ticket.sla.schemas import TicketSlaRead
from services.support_ticket.tickets.schemas import (
    EpisodeRead,
    NoteCreate,
    ReplyCreate,
    TicketCreate,
    TicketDetail,
    TicketMessageRead,
    TicketRead,
    TicketUpdate,
    TransitionCreate,
)
from services.support_ticket.tickets.views import message_view, ticket_view
from shared.db.paging import PageRequest
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/tickets", tag="tickets")

_READ = requires("tickets:read", shopper="tickets:own")
_TALK = requires("tickets:write", shopper="tickets:own")
_WORK = requires("tickets:write")
PagingDep = Annotated[PageRequest, Depends(page_request)]
IfMatchDep = Annotated[int | None, Depends(if_match)]


@router.post("", status_code=201, operation_id="tickets.create", dependencies=[_TALK])
async def create_ticket(
    wanted: TicketCreate, tickets: TicketServiceDep, caller: CallerDep, response: Response
) -> TicketRead:
    """Open a ticket.

    Its priority follows from type, urgency and the customer's value; it is assigned to the queue's
    agents in turn; its due times are business time by the shop's calendar. A shopper's ticket is
    the shopper's own. A contact whose e-mail address or phone number is exactly one customer's is
    linked to them. A `customer_id` of somebody whom the caller does not see is 404.
    """
    ticket = await tickets.open(wanted, caller)
    response.headers["ETag"] = etag(ticket.version)
    response.headers["Location"] = f"/v1/tickets/{ticket.id}"
    return ticket_view(ticket, caller)


@router.get("", operation_id="tickets.list", dependencies=[_READ])
async def list_tickets(
    tickets: TicketServiceDep, caller: CallerDep, wanted: TicketFilterDep, paging: PagingDep
) -> Page[TicketRead]:
    """Tickets, newest first.

    A shopper sees their own. Staff who see their own work see the tickets assigned to them or
    opened by them; staff who see their teams' work also those of their teammates, those meant for
    one of their teams or in a queue of it, and those that wait in a queue that is nobody's in
    particular. What somebody does not see does not exist for them: 404, in every operation.
    """
    found, cursor = await tickets.list_page(wanted, paging)
    return Page(data=[ticket_view(ticket, caller) for ticket in found], next_cursor=cursor)


@router.get("/{ticket_id}", operation_id="tickets.get", dependencies=[_READ])
async def get_ticket(
    ticket_id: UUID, tickets: TicketServiceDep, caller: CallerDep, response: Response
) -> TicketDetail:
    """One ticket, for staff with what is known of its customer. `ETag` names its version."""
    ticket = await tickets.get(ticket_id, caller)
    customer = None if caller.owner else await tickets.describe_customer(ticket)
    response.headers["ETag"] = etag(ticket.version)
    return TicketDetail(**ticket_view(ticket, caller).model_dump(), customer=customer)


@router.patch("/{ticket_id}", operation_id="tickets.update", dependencies=[_WORK])
async def update_ticket(
    ticket_id: UUID,
    wanted: TicketUpdate,
    tickets: TicketServiceDep,
    caller: CallerDep,
    response: Response,
    expected: IfMatchDep,
) -> TicketRead:
    """Classify, assign and plan.

    Another type or urgency decides the priority anew, and with it the due times of clocks that
    still run; a target that was missed stays missed.
    """
    ticket = await tickets.update(ticket_id, wanted, expected_version=expected)
    response.headers["ETag"] = etag(ticket.version)
    return ticket_view(ticket, caller)


@router.post("/{ticket_id}/transitions", operation_id="tickets.transition", dependencies=[_WORK])
async def transition_ticket(
    ticket_id: UUID,
    wanted: TransitionCreate,
    tickets: TicketServiceDep,
    caller: CallerDep,
    response: Response,
    expected: IfMatchDep,
) -> TicketRead:
    """Move a ticket to another status.

    `pending_customer` stops the resolution clock until the customer writes or the ticket is moved
    on. From `resolved` or `closed`, `open` reopens: a new episode begins. `resolved` is reached by
    recording a resolution. A move that is not possible answers 409 with `allowed_transitions`.
    """
    ticket = await tickets.move(ticket_id, wanted.to, expected_version=expected)
    response.headers["ETag"] = etag(ticket.version)
    return ticket_view(ticket, caller)


@router.post(
    "/{ticket_id}/replies", status_code=201, operation_id="tickets.reply", dependencies=[_TALK]
)
async def reply_to_ticket(
    ticket_id: UUID,
    wanted: ReplyCreate,
    replies: ReplyServiceDep,
    caller: CallerDep,
    response: Response,
) -> TicketMessageRead:
    """Answer the customer; the answer is sent to them. The first is the ticket's first response.

    A shopper's reply is the customer's further words: a ticket that waits for the customer goes
    on, and one that ended not long ago is reopened.
    """
    ticket, said = await replies.reply(ticket_id, wanted.text, caller, status=wanted.status)
    response.headers["ETag"] = etag(ticket.version)
    return message_view(said, caller)


@router.post(
    "/{ticket_id}/notes", status_code=201, operation_id="tickets.note", dependencies=[_WORK]
)
async def note_on_ticket(
    ticket_id: UUID, wanted: NoteCreate, replies: ReplyServiceDep, caller: CallerDep
) -> TicketMessageRead:
    """Remark something among staff. It is shown to nobody else and sent nowhere."""
    return message_view(await replies.note(ticket_id, wanted.text, caller), caller)


@router.get("/{ticket_id}/messages", operation_id="tickets.listMessages", dependencies=[_READ])
async def list_messages(
    ticket_id: UUID, replies: ReplyServiceDep, caller: CallerDep, paging: PagingDep
) -> Page[TicketMessageRead]:
    """What was said on a ticket, oldest first. A shopper sees no notes."""
    found, cursor = await replies.list_page(ticket_id, caller, paging)
    return Page(data=[message_view(message, caller) for message in found], next_cursor=cursor)


@router.get(
    "/{ticket_id}/sla", operation_id="tickets.getSla", dependencies=[requires("tickets:read")]
)
async def get_ticket_sla(ticket_id: UUID, slas: TicketSlaServiceDep) -> TicketSlaRead:
    """The clocks of the ticket's current episode: used up, left, due, late."""
    return await slas.get(ticket_id)


@router.get(
    "/{ticket_id}/episodes",
    operation_id="tickets.listEpisodes",
    dependencies=[requires("tickets:read")],
)
async def list_episodes(ticket_id: UUID, tickets: TicketServiceDep) -> Page[EpisodeRead]:
    """The rounds of a ticket, first to last: one, and one more for each time it was reopened."""
    return Page(data=await tickets.list_episodes(ticket_id), next_cursor=None)
