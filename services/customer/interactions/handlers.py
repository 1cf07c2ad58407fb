"""Customers are in touch through other services, too: messages, tickets, answers."""

from collections.abc import Sequence

from services.customer.interactions.repository import InteractionRepository, Touch
from services.customer.timeline.handlers import tell_timeline
from shared.contracts.messaging import InboundMessageReceived
from shared.contracts.support_ticket import TicketCreated, TicketReplied
from shared.db.unit_of_work import UnitOfWork
from shared.stream.envelope import Envelope


async def keep_in_touch(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
    """Tell the timelines, and know when the customers were last in touch."""
    await tell_timeline(uow, envelopes)
    found = [_touch(envelope) for envelope in envelopes]
    await InteractionRepository(uow).touch([touch for touch in found if touch is not None])


def _touch(envelope: Envelope) -> Touch | None:
    """The touch that an event tells of, if it names a customer."""
    if envelope.type == InboundMessageReceived.type:
        message = envelope.read(InboundMessageReceived)
        customer_id, at, kind = message.customer_id, message.received_at, "message"
    elif envelope.type == TicketReplied.type:
        customer_id = envelope.read(TicketReplied).ticket.customer_id
        at, kind = envelope.occurred_at, "ticket_reply"
    else:
        ticket = envelope.read(TicketCreated).ticket
        customer_id, at, kind = ticket.customer_id, ticket.opened_at, "ticket"
    return Touch(customer_id, at, kind) if customer_id is not None else None
