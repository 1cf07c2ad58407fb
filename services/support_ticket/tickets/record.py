"""A ticket as this service holds it, and as it tells others of it."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from sqlalchemy import Row

from services.support_ticket.tickets.priority import Priority, Urgency, ValueTier
from shared.contracts.support_ticket import TicketState, TicketStatus, TicketType

# Who says that a ticket is a customer's: a caller who was let in as them or named them, or only
# an address that the customer also has. Shoppers never see what was merely matched.
CustomerLink = Literal["given", "matched"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Who asks, as they said. The address is lower-case, the phone E.164."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One row of `ticket`, without its tenant."""

    id: UUID
    version: int
    code: str
    conversation_id: UUID
    customer_id: UUID | None
    customer_link: CustomerLink | None
    contact_name: str | None
    contact_email: str | None
    contact_phone: str | None
    subject: str
    type: TicketType
    urgency: Urgency
    value_tier: ValueTier
    priority: Priority
    status: TicketStatus
    channel: str
    reply_channel: str
    queue_id: UUID
    assignee_id: UUID | None
    team_id: UUID | None
    created_by: UUID | None
    plan: str | None = None
    episode: int
    resolution: str | None = None
    csat: int | None = None
    first_response_due_at: datetime | None
    resolution_due_at: datetime | None
    first_responded_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    last_message_at: datetime
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The ticket in a row that has its columns, in order."""
        return cls(**dict(zip(COLUMNS, row, strict=True)))

    def state(self) -> TicketState:
        """What other services may know."""
        return TicketState(
            ticket_id=self.id,
            version=self.version,
            code=self.code,
            customer_id=self.customer_id,
            subject=self.subject,
            type=self.type,
            urgency=self.urgency,
            priority=self.priority,
            status=self.status,
            channel=self.channel,
            assignee_id=self.assignee_id,
            team_id=self.team_id,
            resolution=self.resolution,
            csat=self.csat,
            opened_at=self.created_at,
            first_response_due_at=self.first_response_due_at,
            resolution_due_at=self.resolution_due_at,
            first_responded_at=self.first_responded_at,
            resolved_at=self.resolved_at,
        )


COLUMNS = tuple(field.name for field in fields(Ticket))


def ticket_code(number: int) -> str:
    """The human code of a ticket: T-000045."""
    return f"T-{number:06d}"
