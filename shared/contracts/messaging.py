"""What the messaging service tells."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.contracts.event import Contract, Event


class MessageState(Contract):
    """One message to one recipient, and how it went."""

    message_id: UUID
    version: int
    customer_id: UUID | None
    channel: Literal["email"]
    channel_chosen_by: Literal["request", "preference", "fallback"] | None = None
    unmet_preference: str | None = None
    """The customer's preferred channel, when it could not be taken."""

    message_class: Literal["transactional", "care", "advertising"]
    status: Literal["planned", "sending", "sent", "suppressed", "failed", "unknown", "cancelled"]
    reason: str | None = None
    origin: Literal["automation", "ticket_reply", "survey", "api", "staff", "lead_form"]
    origin_id: UUID | None = None
    subject: str | None = None
    planned_at: datetime
    finished_at: datetime | None = None


class MessageSent(Event):
    """A provider took the message. Key: the message."""

    type: ClassVar[str] = "messaging.message_sent"
    message: MessageState


class MessageSuppressed(Event):
    """A message was not sent on purpose; `reason` says why. Key: the message."""

    type: ClassVar[str] = "messaging.message_suppressed"
    message: MessageState


class MessageFailed(Event):
    """A message could not be sent, or nobody can tell whether it was. Key: the message."""

    type: ClassVar[str] = "messaging.message_failed"
    message: MessageState


class RecipientUnsubscribed(Event):
    """A person said stop on a channel. Key: the customer, or the address when unknown."""

    type: ClassVar[str] = "messaging.recipient_unsubscribed"
    customer_id: UUID | None
    channel: Literal["email", "sms", "zalo"]
    address: str
    purpose: Literal["marketing", "all"] = "marketing"
    at: datetime


class InboundMessageReceived(Event):
    """Someone wrote to the shop. Key: the customer, or the conversation when unknown."""

    type: ClassVar[str] = "messaging.inbound_message_received"
    inbound_id: UUID
    channel: Literal["email", "zalo", "facebook", "sms", "web_chat", "phone", "marketplace"]
    external_id: str
    conversation_ref: str | None = None
    customer_id: UUID | None = None
    sender_name: str | None = None
    sender_email: str | None = None
    sender_phone: str | None = None
    subject: str | None = None
    text: str
    received_at: datetime
