"""What the support-ticket service tells. Every event carries the full state, with its version."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.contracts.event import Contract, Event

TicketType = Literal[
    "question", "info", "usage_guide", "return", "refund", "complaint", "technical"
]
TicketStatus = Literal["new", "open", "pending_customer", "on_hold", "resolved", "closed"]


class TicketState(Contract):
    """A ticket as other services may know it."""

    ticket_id: UUID
    version: int
    code: str
    customer_id: UUID | None
    subject: str
    type: TicketType
    urgency: Literal["low", "normal", "high", "critical"]
    priority: Literal["low", "normal", "high", "urgent"]
    status: TicketStatus
    channel: str
    assignee_id: UUID | None = None
    team_id: UUID | None = None
    resolution: str | None = None
    csat: int | None = None
    opened_at: datetime
    first_response_due_at: datetime | None = None
    resolution_due_at: datetime | None = None
    first_responded_at: datetime | None = None
    resolved_at: datetime | None = None


class TicketCreated(Event):
    """A request arrived. Key: the ticket."""

    type: ClassVar[str] = "support_ticket.ticket_created"
    ticket: TicketState


class TicketUpdated(Event):
    """Status, assignee, classification or figures of a ticket changed. Key: the ticket."""

    type: ClassVar[str] = "support_ticket.ticket_updated"
    ticket: TicketState


class TicketResolved(Event):
    """A ticket was resolved. Key: the ticket."""

    type: ClassVar[str] = "support_ticket.ticket_resolved"
    ticket: TicketState


class TicketSnapshotted(Event):
    """The state again, for a consumer that rebuilds. Key: the ticket."""

    type: ClassVar[str] = "support_ticket.ticket_snapshotted"
    ticket: TicketState


class Recipient(Contract):
    """Whom a message goes to: a known customer, an address, or both."""

    customer_id: UUID | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    locale: str | None = None


class TicketReplied(Event):
    """An agent answered publicly; the answer is to be delivered. Notes never appear here."""

    type: ClassVar[str] = "support_ticket.ticket_replied"
    ticket: TicketState
    message_id: UUID
    agent_name: str | None
    body: str
    recipient: Recipient
    channel: str = "email"


class SurveyInvited(Event):
    """A customer is to be asked how it went; `url` opens the page without login."""

    type: ClassVar[str] = "support_ticket.survey_invited"
    survey_id: UUID
    ticket: TicketState
    url: str
    recipient: Recipient


class SurveyAnswered(Event):
    """A survey was answered, once. `score` runs from 1 to `scale_max`. Key: the ticket."""

    type: ClassVar[str] = "support_ticket.survey_answered"
    survey_id: UUID
    ticket: TicketState
    kind: Literal["csat"] = "csat"
    score: int
    scale_max: int = 5
    comment: str | None = None
    answered_at: datetime
