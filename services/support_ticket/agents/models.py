"""This service's projection of the staff."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from services.support_ticket.models import metadata
from shared.db.tables import tenant_column
from shared.privacy.registry import impersonal

agent = Table(
    "agent",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    # Ids as texts; "whose teams are among these" is all that is asked of them.
    Column("team_ids", JSONB, nullable=False, server_default=text("'[]'")),
    CheckConstraint("role IN ('owner', 'admin', 'manager', 'agent', 'analyst')", name="role"),
)

impersonal(agent, "staff")
