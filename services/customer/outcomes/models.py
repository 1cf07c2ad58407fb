"""The table of words that a shop has for what came of a call, a task, an appointment."""

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
)
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

outcome = Table(
    "outcome",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    # The word that interactions, tasks and appointments have.
    Column("key", Text, nullable=False),
    Column("label", JSONB, nullable=False),
    # `interaction`, `task`, `appointment`, or one kind of those: `interaction.call`.
    Column("applies_to", JSONB, nullable=False),
    Column("tone", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    # The other open calls of the person are called off with it.
    Column("ends_calls", Boolean, nullable=False),
    # The task that it gives rise to, and how long after; none without the minutes.
    Column("follow_up_minutes", Integer),
    Column("follow_up_kind", Text),
    Column("follow_up_title", Text),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("tone IN ('positive', 'neutral', 'negative')", name="tone"),
    CheckConstraint("follow_up_minutes >= 0", name="follow_up_minutes"),
    CheckConstraint(
        "(follow_up_minutes IS NULL) = (follow_up_kind IS NULL)", name="follow_up_whole"
    ),
)
Index("uq_outcome_key", outcome.c.tenant_id, outcome.c.key, unique=True)

impersonal(outcome, "the shop's own words")
