"""Inbound messages as this service reads them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from sqlalchemy import Row

InboundChannel = Literal["email", "zalo", "facebook", "sms", "web_chat", "phone", "marketplace"]


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """What a person wrote to the shop, as it arrived; the phone in E.164 where it is one."""

    id: UUID
    channel: InboundChannel
    external_id: str
    conversation_ref: str | None
    customer_id: UUID | None
    sender_name: str | None
    sender_email: str | None
    sender_phone: str | None
    subject: str | None
    text: str
    received_at: datetime
    created_at: datetime

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """An inbound message from its row."""
        return cls(**{name: getattr(row, name) for name in cls.__slots__})
