"""From what this service holds to what a caller may see."""

from services.support_ticket.conversations.record import Message
from services.support_ticket.tickets.callers import Caller
from services.support_ticket.tickets.record import Ticket
from services.support_ticket.tickets.schemas import (
    AuthorRead,
    ContactRead,
    TicketMessageRead,
    TicketRead,
)
from services.support_ticket.tickets.states import allowed_transitions


def ticket_view(ticket: Ticket, caller: Caller) -> TicketRead:
    """A ticket as `caller` may see it: a shopper sees nothing of how the shop works inside."""
    shopper = caller.owner is not None
    return TicketRead(
        id=ticket.id,
        code=ticket.code,
        subject=ticket.subject,
        type=ticket.type,
        urgency=ticket.urgency,
        priority=None if shopper else ticket.priority,
        status=ticket.status,
        allowed_transitions=[] if shopper else list(allowed_transitions(ticket.status)),
        channel=ticket.channel,
        customer_id=ticket.customer_id,
        contact=ContactRead(
            name=ticket.contact_name, email=ticket.contact_email, phone=ticket.contact_phone
        ),
        queue_id=None if shopper else ticket.queue_id,
        assignee_id=None if shopper else ticket.assignee_id,
        team_id=None if shopper else ticket.team_id,
        created_by=None if shopper else ticket.created_by,
        plan=None if shopper else ticket.plan,
        episode=ticket.episode,
        reopened_count=ticket.episode - 1,
        resolution=ticket.resolution,
        csat=ticket.csat,
        first_response_due_at=None if shopper else ticket.first_response_due_at,
        resolution_due_at=None if shopper else ticket.resolution_due_at,
        first_responded_at=ticket.first_responded_at,
        resolved_at=ticket.resolved_at,
        closed_at=ticket.closed_at,
        last_message_at=ticket.last_message_at,
        created_at=ticket.created_at,
        updated_at=ticket.updated_at,
        version=ticket.version,
    )


def message_view(message: Message, caller: Caller) -> TicketMessageRead:
    """A message as `caller` may see it: a shopper learns an agent's name, not their id."""
    internal = caller.owner is not None and message.author_kind != "customer"
    return TicketMessageRead(
        id=message.id,
        ticket_id=message.ticket_id,
        conversation_id=message.conversation_id,
        episode=message.episode,
        kind=message.kind,
        author=AuthorRead(
            kind=message.author_kind,
            id=None if internal else message.author_id,
            name=message.author_name,
        ),
        channel=message.channel,
        text=message.body,
        created_at=message.created_at,
    )
