"""Messages of the ledger as this service reads and plans them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, Self
from uuid import UUID

from sqlalchemy import Row

from services.messaging.channels.choice import ChosenBy, Obstacle
from services.messaging.policies.records import Channel, MessageClass
from services.messaging.recipients.addresses import address_key
from shared.contracts.event import Event
from shared.contracts.messaging import (
    MessageFailed,
    MessageSent,
    MessageState,
    MessageSuppressed,
)
from shared.observability.tracing import TRACE_PARENT

Status = Literal["planned", "sending", "sent", "suppressed", "failed", "unknown", "cancelled"]
Origin = Literal["automation", "ticket_reply", "survey", "api", "staff", "lead_form"]
Hold = Literal["recipient", "paused"]

# A person waits for an answer; nobody waits for advertising.
LANES: Final[Mapping[MessageClass, int]] = {"transactional": 0, "care": 1, "advertising": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMessage:
    """A message to be: to a known customer, to an address, or to both.

    Without a `channel` it goes by the customer's preferred one; `address` is an e-mail address.
    `origin`, `origin_id`, the recipient and `occurrence` together say which message this is;
    planning it again plans nothing. It waits until at least `customer_version` of the customer is
    known.
    """

    origin: Origin
    origin_id: UUID
    message_class: MessageClass
    template_key: str
    customer_id: UUID | None = None
    customer_version: int | None = None
    address: str | None = None
    occurrence: str = ""
    channel: Channel | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    recipient_name: str | None = None
    locale: str | None = None
    reply_to: str | None = None
    thread_id: UUID | None = None
    due_at: datetime | None = None
    trace: str | None = None

    @property
    def recipient_key(self) -> str:
        """Who the message is to, as far as doing it once is concerned."""
        if self.customer_id is not None:
            return f"customer:{self.customer_id.hex}"
        return f"address:{address_key(self.address or '')}"


@dataclass(frozen=True, slots=True)
class Message:
    """One row of the ledger."""

    id: UUID
    version: int
    origin: Origin
    origin_id: UUID
    occurrence: str
    channel: Channel
    channel_chosen_by: ChosenBy | None
    unmet_preference: str | None
    unmet_preference_reason: Obstacle | None
    message_class: MessageClass
    template_key: str
    variables: dict[str, Any]
    customer_id: UUID | None
    customer_version: int | None
    address: str | None
    recipient_name: str | None
    locale: str | None
    reply_to: str | None
    thread_id: UUID | None
    status: Status
    reason: str | None
    detail: str | None
    hold: Hold | None
    subject: str | None
    decision: dict[str, Any] | None
    attempts: int
    postponements: int
    lease_owner: UUID | None
    lease_until: datetime | None
    attempted_at: datetime | None
    due_at: datetime
    planned_at: datetime
    finished_at: datetime | None
    trace: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """A message from its row."""
        values = row._mapping
        return cls(**{name: values[name] for name in cls.__slots__})

    def state(self) -> MessageState:
        """The message as other services may know it."""
        return MessageState(
            message_id=self.id,
            version=self.version,
            customer_id=self.customer_id,
            channel=self.channel,
            channel_chosen_by=self.channel_chosen_by,
            unmet_preference=self.unmet_preference,
            message_class=self.message_class,
            status=self.status,
            reason=self.reason,
            origin=self.origin,
            origin_id=self.origin_id,
            subject=self.subject,
            planned_at=self.planned_at,
            finished_at=self.finished_at,
        )

    @property
    def context(self) -> dict[str, str]:
        """The context of what is told about it: that of its planning."""
        return {TRACE_PARENT: self.trace} if self.trace else {}

    def outcome_event(self) -> Event | None:
        """What the others are told of the message's outcome; None while it has none."""
        match self.status:
            case "sent":
                return MessageSent(message=self.state())
            case "suppressed" | "cancelled":
                return MessageSuppressed(message=self.state())
            case "failed" | "unknown":
                return MessageFailed(message=self.state())
            case "planned" | "sending":
                return None
