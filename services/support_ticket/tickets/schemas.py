"""Tickets as clients see them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, EmailStr, Field, field_validator, model_validator

from services.support_ticket.conversations.record import Channel, MessageKind
from services.support_ticket.tickets.priority import Priority, Urgency, ValueTier
from services.support_ticket.tickets.states import AnsweredStatus, MovableStatus
from shared.bodies import Body
from shared.contracts.support_ticket import TicketStatus, TicketType
from shared.phone import normalise_phone
from shared.pii import pii
from shared.text import Name, Prose, TextRule
from shared.web.patches import NeverNull

Subject = Annotated[str, TextRule(max_length=300), Field(examples=["The kettle leaks"])]
Plan = Annotated[str, TextRule(max_length=2000, lines=True)]


class ContactInput(Body):
    """How to reach somebody. A customer with the same address is recognised."""

    name: Name | None = None
    email: Annotated[EmailStr, Field(max_length=254)] | None = None
    phone: Annotated[str, Field(max_length=40, examples=["0912 345 678"])] | None = None

    @field_validator("email")
    @classmethod
    def _lower(cls, email: str | None) -> str | None:
        return None if email is None else email.lower()

    @field_validator("phone")
    @classmethod
    def _e164(cls, phone: str | None) -> str | None:
        if phone is None:
            return None
        number = normalise_phone(phone).e164
        if number is None:
            raise ValueError("not a phone number")
        return number

    @model_validator(mode="after")
    def _reachable(self) -> "ContactInput":
        if self.email is None and self.phone is None:
            raise ValueError("an e-mail address or a phone number is needed")
        return self


class RequesterInput(Body):
    """Who asks: a known customer, or how to reach them."""

    customer_id: UUID | None = None
    contact: ContactInput | None = None

    @model_validator(mode="after")
    def _somebody(self) -> "RequesterInput":
        if self.customer_id is None and self.contact is None:
            raise ValueError("customer_id or contact is needed")
        return self


class TicketCreate(Body):
    """A request for help. A shopper leaves out `requester`: it is the shopper."""

    subject: Subject
    text: Prose
    type: TicketType = "question"
    urgency: Urgency = "normal"
    channel: Channel = Field(default="web", description="Where it came in; `web` for shoppers")
    requester: RequesterInput | None = None


class TicketUpdate(Body):
    """What is absent stays; `null` clears. Type and urgency decide the priority anew."""

    subject: Annotated[Subject | None, NeverNull()] = None
    type: Annotated[TicketType | None, NeverNull()] = None
    urgency: Annotated[Urgency | None, NeverNull()] = None
    assignee_id: UUID | None = Field(default=None, description="Null: nobody")
    team_id: UUID | None = Field(
        default=None, description="The team it is for; null: nobody's in particular"
    )
    plan: Plan | None = Field(default=None, description="How it will be handled (phương án)")


class TransitionCreate(Body):
    """A move of the state machine; `allowed_transitions` of the ticket names the possible ones."""

    to: MovableStatus


class ReplyCreate(Body):
    """An answer to the customer, or a shopper's further words."""

    text: Prose
    status: AnsweredStatus | None = Field(
        default=None,
        description="What the ticket becomes; by default a new one becomes open. Not for shoppers",
    )


class NoteCreate(Body):
    """A remark among staff. It never leaves the shop."""

    text: Prose


class ContactRead(BaseModel):
    """How to reach the requester, as they said."""

    name: Annotated[str | None, pii("name")]
    email: Annotated[str | None, pii("email")]
    phone: Annotated[str | None, pii("phone")]


class TicketRead(BaseModel):
    """A ticket. Due times and figures are those of its current episode.

    A shopper sees their own tickets with the shop's inner workings (queue, assignee, team,
    priority, plan, due times) as null.
    """

    id: UUID
    object: Literal["ticket"] = "ticket"
    code: str = Field(examples=["T-000045"])
    subject: str
    type: TicketType
    urgency: Urgency
    priority: Priority | None
    status: TicketStatus
    allowed_transitions: list[TicketStatus]
    channel: str
    customer_id: UUID | None
    contact: ContactRead
    queue_id: UUID | None
    assignee_id: UUID | None
    team_id: UUID | None = Field(
        description="The team it is for: that of its queue when it opened, unless changed"
    )
    created_by: UUID | None = Field(
        description="The member of staff who opened it; null when it came in by itself"
    )
    plan: str | None
    episode: int = Field(description="1, and one more for each time it was reopened")
    reopened_count: int
    resolution: str | None = Field(description="How it was resolved, by kind")
    csat: int | None = Field(description="The customer's latest score, 1 to 5")
    first_response_due_at: datetime | None
    resolution_due_at: datetime | None
    first_responded_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    last_message_at: datetime
    created_at: datetime
    updated_at: datetime
    version: int


class TicketSegmentRead(BaseModel):
    """A segment the customer is in."""

    id: UUID
    key: str
    name: str


class TicketCustomerRead(BaseModel):
    """What an agent needs to know of the customer."""

    id: UUID
    code: str | None
    name: Annotated[str | None, pii("name")]
    value_tier: ValueTier
    segments: list[TicketSegmentRead]
    open_tickets: int


class TicketDetail(TicketRead):
    """A ticket with its customer.

    Null for shoppers, for people nobody knows yet, and for customers whom the caller does not see.
    """

    customer: TicketCustomerRead | None


class AuthorRead(BaseModel):
    """Who said it."""

    kind: Literal["customer", "agent", "api_key"]
    id: str | None
    name: Annotated[str | None, pii("name")]


class TicketMessageRead(BaseModel):
    """Something said on a ticket: by the customer, to the customer (reply), or inside (note)."""

    id: UUID
    object: Literal["ticket_message"] = "ticket_message"
    ticket_id: UUID
    conversation_id: UUID
    episode: int
    kind: MessageKind
    author: AuthorRead
    channel: str
    text: str
    created_at: datetime


class EpisodeRead(BaseModel):
    """One round of a ticket. Once it has ended, its figures never change (but for the score)."""

    object: Literal["ticket_episode"] = "ticket_episode"
    number: int
    reason: Literal["created", "reopened"]
    priority: Priority
    assignee_id: UUID | None
    opened_at: datetime
    first_responded_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    resolution: str | None
    csat: int | None
