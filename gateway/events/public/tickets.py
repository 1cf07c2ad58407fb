"""What customers ask, and what they are answered."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from gateway.events.projection import From, PublicObject, Whole
from gateway.events.public.base import EventBase
from shared.contracts import support_ticket as t
from shared.contracts.event import Event
from shared.contracts.support_ticket import TicketStatus, TicketType
from shared.pii import pii


class EventTicket(PublicObject):
    """A ticket as of the event."""

    id: Annotated[UUID, From("ticket_id")]
    object: Literal["ticket"] = "ticket"
    version: int
    code: str = Field(examples=["T-000045"])
    customer_id: UUID | None = None
    subject: str
    type: TicketType
    urgency: Literal["low", "normal", "high", "critical"]
    priority: Literal["low", "normal", "high", "urgent"]
    status: TicketStatus
    channel: str
    assignee_id: UUID | None = None
    resolution: str | None = None
    csat: int | None = None
    opened_at: datetime
    first_response_due_at: datetime | None = None
    resolution_due_at: datetime | None = None
    first_responded_at: datetime | None = None
    resolved_at: datetime | None = None


class EventReply(PublicObject):
    """What an agent answered, publicly. Notes never appear in events."""

    id: Annotated[UUID, From("message_id")]
    object: Literal["reply"] = "reply"
    agent_name: str | None = None
    body: Annotated[str, pii("address")]
    channel: str = "email"


class EventSurvey(PublicObject):
    """The answer to a survey. `score` runs from 1 to `scale_max`."""

    id: Annotated[UUID, From("survey_id")]
    object: Literal["survey"] = "survey"
    kind: Literal["csat"] = "csat"
    score: int
    scale_max: int = 5
    comment: Annotated[str | None, pii("address")] = None
    answered_at: datetime


class TicketData(PublicObject):
    """A ticket."""

    ticket: EventTicket


class TicketReplyData(PublicObject):
    """A ticket, and what was answered."""

    ticket: EventTicket
    reply: Annotated[EventReply, Whole()]


class SurveyData(PublicObject):
    """An answer, and the ticket that was asked about."""

    survey: Annotated[EventSurvey, Whole()]
    ticket: EventTicket


class TicketCreated(EventBase):
    """A request arrived."""

    type: Literal["ticket.created"]
    data: TicketData


class TicketUpdated(EventBase):
    """Status, assignee, classification or figures of a ticket changed."""

    type: Literal["ticket.updated"]
    data: TicketData


class TicketReplied(EventBase):
    """An agent answered publicly."""

    type: Literal["ticket.replied"]
    data: TicketReplyData


class TicketResolved(EventBase):
    """A ticket was resolved."""

    type: Literal["ticket.resolved"]
    data: TicketData


class SurveyAnswered(EventBase):
    """A customer said how it went."""

    type: Literal["survey.answered"]
    data: SurveyData


TicketEvent = TicketCreated | TicketUpdated | TicketReplied | TicketResolved | SurveyAnswered

EVENTS: Final[Mapping[type[Event], type[EventBase]]] = {
    t.TicketCreated: TicketCreated,
    t.TicketUpdated: TicketUpdated,
    t.TicketReplied: TicketReplied,
    t.TicketResolved: TicketResolved,
    t.SurveyAnswered: SurveyAnswered,
}
