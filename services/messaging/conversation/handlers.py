"""What support says to people: an agent's answers, and the question how it went.

An answer goes the way the question came, where the shop can write there; else, like the question
how it went, by what the customer prefers.

Internal notes never get here: the support-ticket service tells of public replies only.
"""

from collections.abc import Sequence
from typing import Any

from services.messaging.channels.records import CHANNEL_ORDER
from services.messaging.messages.ledger import Ledger
from services.messaging.messages.records import PlannedMessage
from services.messaging.policies.records import Channel
from services.messaging.templates.defaults import SURVEY_INVITATION, TICKET_REPLY
from shared.contracts.support_ticket import (
    Recipient,
    SurveyInvited,
    TicketReplied,
    TicketState,
)
from shared.db.unit_of_work import UnitOfWork
from shared.stream.envelope import Envelope


async def on_ticket_replied(
    _uow: UnitOfWork, events: Sequence[Envelope], *, ledger: Ledger
) -> None:
    """Carry agents' answers to whoever asked, each answer once."""
    replies = [event.read(TicketReplied) for event in events]
    await ledger.plan(
        PlannedMessage(
            origin="ticket_reply",
            origin_id=reply.message_id,
            message_class="transactional",
            template_key=TICKET_REPLY,
            channel=_way_it_came(reply.ticket),
            variables={
                "ticket": _ticket(reply.ticket),
                "reply": {"body": reply.body},
                "agent": {"name": reply.agent_name},
            },
            thread_id=reply.ticket.ticket_id,
            **_to(reply.recipient),
        )
        for reply in replies
    )


async def on_survey_invited(
    _uow: UnitOfWork, events: Sequence[Envelope], *, ledger: Ledger
) -> None:
    """Invite people to say how their ticket was handled, once per survey."""
    invitations = [event.read(SurveyInvited) for event in events]
    await ledger.plan(
        PlannedMessage(
            origin="survey",
            origin_id=invitation.survey_id,
            message_class="transactional",
            template_key=SURVEY_INVITATION,
            variables={"ticket": _ticket(invitation.ticket), "survey": {"url": invitation.url}},
            thread_id=invitation.ticket.ticket_id,
            **_to(invitation.recipient),
        )
        for invitation in invitations
    )


def _way_it_came(ticket: TicketState) -> Channel | None:
    return next((channel for channel in CHANNEL_ORDER if channel == ticket.channel), None)


def _ticket(ticket: TicketState) -> dict[str, Any]:
    return {
        "code": ticket.code,
        "subject": ticket.subject,
        "status": ticket.status,
        "type": ticket.type,
    }


def _to(recipient: Recipient) -> dict[str, Any]:
    return {
        "customer_id": recipient.customer_id,
        "address": recipient.email,
        "recipient_name": recipient.name,
        "locale": recipient.locale,
    }
