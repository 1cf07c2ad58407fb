"""What goes to people, and what comes from them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from gateway.events.projection import From, PublicObject, Whole
from gateway.events.public.base import EventBase
from shared.contracts import messaging as m
from shared.contracts.event import Event
from shared.pii import pii


class EventMessage(PublicObject):
    """One message to one recipient, and how it went."""

    id: Annotated[UUID, From("message_id")]
    object: Literal["message"] = "message"
    version: int
    customer_id: UUID | None = None
    channel: Literal["email"]
    channel_chosen_by: Literal["request", "preference", "fallback"] | None = Field(
        default=None, description="Null when it ended before its channel was chosen"
    )
    unmet_preference: str | None = Field(
        default=None, description="The customer's preferred channel, when it could not be taken"
    )
    message_class: Literal["transactional", "care", "advertising"]
    status: Literal["planned", "sending", "sent", "suppressed", "failed", "unknown", "cancelled"]
    reason: str | None = Field(default=None, description="Why it was not sent, a stable code")
    origin: Literal["automation", "ticket_reply", "survey", "api", "staff", "lead_form"]
    origin_id: UUID | None = None
    subject: str | None = None
    planned_at: datetime
    finished_at: datetime | None = None


class EventUnsubscription(PublicObject):
    """A person said stop on a channel."""

    object: Literal["unsubscription"] = "unsubscription"
    customer_id: UUID | None = None
    channel: Literal["email", "sms", "zalo"]
    address: Annotated[str, pii("contact")]
    purpose: Literal["marketing", "all"] = "marketing"
    at: datetime


class EventInboundMessage(PublicObject):
    """Somebody wrote to the shop."""

    id: Annotated[UUID, From("inbound_id")]
    object: Literal["inbound_message"] = "inbound_message"
    channel: Literal["email", "zalo", "facebook", "sms", "web_chat", "phone", "marketplace"]
    external_id: str
    conversation_ref: str | None = None
    customer_id: UUID | None = None
    sender_name: Annotated[str | None, pii("name")] = None
    sender_email: Annotated[str | None, pii("email")] = None
    sender_phone: Annotated[str | None, pii("phone")] = None
    subject: str | None = None
    text: Annotated[str, pii("address")]
    received_at: datetime


class MessageData(PublicObject):
    """A message."""

    message: EventMessage


class UnsubscriptionData(PublicObject):
    """Who said stop to what."""

    unsubscription: Annotated[EventUnsubscription, Whole()]


class InboundMessageData(PublicObject):
    """What was written to the shop."""

    inbound_message: Annotated[EventInboundMessage, Whole()]


class MessageSent(EventBase):
    """A provider took a message."""

    type: Literal["message.sent"]
    data: MessageData


class MessageSuppressed(EventBase):
    """A message was not sent, on purpose."""

    type: Literal["message.suppressed"]
    data: MessageData


class MessageFailed(EventBase):
    """A message could not be sent, or nobody can tell whether it was."""

    type: Literal["message.failed"]
    data: MessageData


class RecipientUnsubscribed(EventBase):
    """A person said stop."""

    type: Literal["recipient.unsubscribed"]
    data: UnsubscriptionData


class InboundMessageReceived(EventBase):
    """Somebody wrote to the shop."""

    type: Literal["inbound_message.received"]
    data: InboundMessageData


MessageEvent = (
    MessageSent | MessageSuppressed | MessageFailed | RecipientUnsubscribed | InboundMessageReceived
)

EVENTS: Final[Mapping[type[Event], type[EventBase]]] = {
    m.MessageSent: MessageSent,
    m.MessageSuppressed: MessageSuppressed,
    m.MessageFailed: MessageFailed,
    m.RecipientUnsubscribed: RecipientUnsubscribed,
    m.InboundMessageReceived: InboundMessageReceived,
}
