"""Entries from what the other services tell."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import TimelineRepository
from shared.contracts.messaging import (
    InboundMessageReceived,
    MessageFailed,
    MessageSent,
    MessageState,
    MessageSuppressed,
)
from shared.contracts.segmentation import Membership, SegmentEntered, SegmentLeft
from shared.contracts.support_ticket import (
    SurveyAnswered,
    TicketCreated,
    TicketReplied,
    TicketResolved,
    TicketState,
)
from shared.db.unit_of_work import UnitOfWork
from shared.stream.envelope import Envelope

_LONGEST_TEXT = 200

Words = Mapping[str, Any]
Told = tuple[UUID | None, str, datetime, Words]
"""Of whom, the type of entry, when it was, and the words."""


async def tell_timeline(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
    """Add what happened to customers to their timelines, once per event.

    What happened to nobody, or to somebody unknown here, is passed over.
    """
    entries = []
    for envelope in envelopes:
        customer_id, kind, at, words = _READERS[envelope.type](envelope)
        if customer_id is not None:
            entry = Entry(
                id=envelope.id,
                customer_id=customer_id,
                type=kind,
                source=envelope.source,
                occurred_at=at,
                data=words,
            )
            entries.append(entry)
    await TimelineRepository(uow).add(entries)


def _segment_entered(envelope: Envelope) -> Told:
    return _membership("segment.entered", envelope.read(SegmentEntered).membership)


def _segment_left(envelope: Envelope) -> Told:
    return _membership("segment.left", envelope.read(SegmentLeft).membership)


def _membership(kind: str, membership: Membership) -> Told:
    words = {
        "segment_id": str(membership.segment_id),
        "segment_key": membership.segment_key,
        "segment": membership.segment_name,
        "reason": membership.reason,
    }
    return membership.customer_id, kind, membership.at, words


def _ticket_created(envelope: Envelope) -> Told:
    ticket = envelope.read(TicketCreated).ticket
    return ticket.customer_id, "ticket.created", ticket.opened_at, _ticket(ticket)


def _ticket_resolved(envelope: Envelope) -> Told:
    ticket = envelope.read(TicketResolved).ticket
    words = {**_ticket(ticket), "resolution": ticket.resolution}
    at = ticket.resolved_at or envelope.occurred_at
    return ticket.customer_id, "ticket.resolved", at, words


def _ticket_replied(envelope: Envelope) -> Told:
    event = envelope.read(TicketReplied)
    words = {**_ticket(event.ticket), "agent_name": event.agent_name}
    return event.ticket.customer_id, "ticket.replied", envelope.occurred_at, words


def _survey_answered(envelope: Envelope) -> Told:
    event = envelope.read(SurveyAnswered)
    words = {
        **_ticket(event.ticket),
        "survey_id": str(event.survey_id),
        "score": event.score,
        "scale_max": event.scale_max,
        "comment": _short(event.comment),
    }
    return event.ticket.customer_id, "survey.answered", event.answered_at, words


def _ticket(ticket: TicketState) -> Words:
    return {
        "ticket_id": str(ticket.ticket_id),
        "code": ticket.code,
        "subject": _short(ticket.subject),
        "ticket_type": ticket.type,
        "channel": ticket.channel,
    }


def _message_sent(envelope: Envelope) -> Told:
    return _message("message.sent", envelope, envelope.read(MessageSent).message)


def _message_suppressed(envelope: Envelope) -> Told:
    return _message("message.suppressed", envelope, envelope.read(MessageSuppressed).message)


def _message_failed(envelope: Envelope) -> Told:
    return _message("message.failed", envelope, envelope.read(MessageFailed).message)


def _message(kind: str, envelope: Envelope, message: MessageState) -> Told:
    words = {
        "message_id": str(message.message_id),
        "channel": message.channel,
        "message_class": message.message_class,
        "origin": message.origin,
        "subject": _short(message.subject),
        "reason": message.reason,
    }
    return message.customer_id, kind, message.finished_at or envelope.occurred_at, words


def _message_received(envelope: Envelope) -> Told:
    event = envelope.read(InboundMessageReceived)
    words = {
        "inbound_id": str(event.inbound_id),
        "channel": event.channel,
        "subject": _short(event.subject or event.text),
    }
    return event.customer_id, "message.received", event.received_at, words


def _short(text: str | None) -> str | None:
    return text if text is None or len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


_READERS: Mapping[str, Callable[[Envelope], Told]] = {
    SegmentEntered.type: _segment_entered,
    SegmentLeft.type: _segment_left,
    TicketCreated.type: _ticket_created,
    TicketReplied.type: _ticket_replied,
    TicketResolved.type: _ticket_resolved,
    SurveyAnswered.type: _survey_answered,
    MessageSent.type: _message_sent,
    MessageSuppressed.type: _message_suppressed,
    MessageFailed.type: _message_failed,
    InboundMessageReceived.type: _message_received,
}
