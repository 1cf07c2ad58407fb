"""A message as this service holds it."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from sqlalchemy import Row

# `customer`: what the customer said. `reply`: what the shop answered in public. `note`: what staff
# say among themselves; it never leaves the shop.
MessageKind = Literal["customer", "reply", "note"]
AuthorKind = Literal["customer", "agent", "api_key"]
Channel = Literal["web", "email", "phone", "sms", "zalo", "facebook", "web_chat", "marketplace"]


@dataclass(frozen=True, slots=True)
class Author:
    """Who said something."""

    kind: AuthorKind
    id: str | None
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One row of `message`, without its tenant."""

    id: UUID
    conversation_id: UUID
    ticket_id: UUID
    episode: int
    kind: MessageKind
    author_kind: AuthorKind
    author_id: str | None
    author_name: str | None
    channel: str
    external_id: str | None
    body: str
    created_at: datetime

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The message in a row that has its columns, in order."""
        return cls(**dict(zip(COLUMNS, row, strict=True)))


COLUMNS = tuple(field.name for field in fields(Message))
