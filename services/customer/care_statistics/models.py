"""What tickets tell of the work of staff; tickets themselves are the support service's."""

from typing import Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

NOBODY: Final = UUID(int=0)
"""Whose it was while nobody had the ticket: no later owner has done it."""

# What was done, and by whom at that time. It stays so, whatever becomes of the ticket.
ticket_fact = Table(
    "ticket_fact",
    metadata,
    tenant_column(),
    Column("ticket_id", Uuid, primary_key=True),
    Column("kind", Text, primary_key=True),
    # What makes it another fact of this kind: who was given the ticket, when it was resolved.
    Column("mark", Text, primary_key=True),
    Column("staff_id", Uuid, nullable=False),
    instant("at"),
    Column("seconds", BigInteger),
    Column("is_late", Boolean),
    # Hundredths on a scale of five.
    Column("score", Integer),
    CheckConstraint("kind IN ('given', 'answered', 'resolved', 'rated')", name="kind"),
)
Index("ix_ticket_fact_at", ticket_fact.c.tenant_id, ticket_fact.c.at)

# Whose a ticket is and when it should be done.
ticket_owed = Table(
    "ticket_owed",
    metadata,
    tenant_column(),
    Column("ticket_id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("staff_id", Uuid),
    Column("is_open", Boolean, nullable=False),
    instant("due_at", nullable=True),
)
Index(
    "ix_ticket_owed_due",
    ticket_owed.c.tenant_id,
    ticket_owed.c.due_at,
    postgresql_where=text("is_open"),
)

impersonal(ticket_fact, "what staff did; which tickets, and nothing of whose they are")
impersonal(ticket_owed, "whom of the staff a ticket waits for")
