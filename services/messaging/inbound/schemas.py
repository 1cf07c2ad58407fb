"""Inbound messages as clients hand them in and read them."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, EmailStr, Field, field_validator

from services.messaging.inbound.records import InboundChannel, InboundMessage
from shared.bodies import Body
from shared.moments import Instant
from shared.pii import pii
from shared.text import Name, NormalisedStr, TextRule


class InboundSender(Body):
    """Who wrote, as far as the channel tells."""

    name: Annotated[Name | None, pii("name")] = Field(default=None, examples=["Trần Thị Bình"])
    email: Annotated[Annotated[EmailStr, Field(max_length=254)] | None, pii("email")] = None
    phone: Annotated[Annotated[str, TextRule(64)] | None, pii("phone")] = Field(
        default=None, examples=["0912 345 678"]
    )

    @field_validator("email")
    @classmethod
    def _lower(cls, email: str | None) -> str | None:
        return None if email is None else email.lower()


class InboundMessageCreate(Body):
    """Something that a person wrote to the shop."""

    channel: InboundChannel
    external_id: Annotated[str, TextRule(255)] = Field(
        description="The channel's own id of the message; the same id again is the same message",
        examples=["<CAF1x9@mail.example.com>"],
    )
    conversation_ref: NormalisedStr | None = Field(
        default=None, description="The channel's own id of the conversation"
    )
    customer_id: UUID | None = Field(
        default=None, description="When the sender is known; else found by e-mail or phone"
    )
    sender: InboundSender = Field(default_factory=InboundSender)
    subject: NormalisedStr | None = None
    text: Annotated[str, TextRule(20_000, lines=True)] = Field(
        examples=["Đơn hàng của tôi bị thiếu một món"]
    )
    received_at: Instant | None = Field(
        default=None, description="Default: now, which it is at the latest"
    )


class InboundMessageRead(BaseModel):
    """A message that came in."""

    id: UUID
    object: Literal["inbound_message"] = "inbound_message"
    channel: InboundChannel
    external_id: str
    conversation_ref: str | None
    customer_id: UUID | None
    sender: InboundSender
    subject: str | None
    text: str
    received_at: datetime
    created_at: datetime

    @classmethod
    def of(cls, message: InboundMessage) -> Self:
        """What clients see of an inbound message."""
        plain = set(cls.model_fields) - {"object", "sender"}
        sender = InboundSender.model_construct(
            name=message.sender_name, email=message.sender_email, phone=message.sender_phone
        )
        return cls(**{name: getattr(message, name) for name in plain}, sender=sender)
