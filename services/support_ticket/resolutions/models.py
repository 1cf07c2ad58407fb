"""How each episode of a ticket ended."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
)

from services.support_ticket.models import metadata
from services.support_ticket.tickets.models import ticket
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import belonging_to, personal

resolution = Table(
    "resolution",
    metadata,
    tenant_column(),
    Column("ticket_id", Uuid, primary_key=True),
    Column("episode", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("amount_minor", BigInteger),
    Column("currency", Text),
    Column("result", Text, nullable=False),
    Column("reason", Text),
    Column("resolved_by", Text, nullable=False),
    instant("resolved_at"),
    CheckConstraint(
        "kind IN ('answer', 'guide', 'exchange', 'refund', 'compensation', 'other')", name="kind"
    ),
    CheckConstraint("result IN ('positive', 'negative')", name="result"),
    CheckConstraint("(amount_minor IS NULL) = (currency IS NULL)", name="money"),
    CheckConstraint("amount_minor >= 0", name="amount"),
    ForeignKeyConstraint(
        ["tenant_id", "ticket_id", "episode"],
        [
            "support_ticket.ticket_episode.tenant_id",
            "support_ticket.ticket_episode.ticket_id",
            "support_ticket.ticket_episode.number",
        ],
        name="fk_resolution_episode",
    ),
)
Index("ix_resolution_resolved_at", resolution.c.tenant_id, resolution.c.resolved_at)

personal(resolution, of=belonging_to(ticket, "ticket_id"), erase={"reason": None})
