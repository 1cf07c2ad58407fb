"""SLA policies with their versions, and the clocks that run under them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.support_ticket.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

sla_policy = Table(
    "sla_policy",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("calendar_id", Uuid, nullable=False),
    Column("targets", JSONB, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    ForeignKeyConstraint(
        ["tenant_id", "calendar_id"],
        ["support_ticket.business_calendar.tenant_id", "support_ticket.business_calendar.id"],
        name="fk_sla_policy_calendar",
    ),
)
Index(
    "uq_sla_policy_default",
    sla_policy.c.tenant_id,
    unique=True,
    postgresql_where=sla_policy.c.is_default.is_(True),
)

sla_policy_version = Table(
    "sla_policy_version",
    metadata,
    tenant_column(),
    Column("policy_id", Uuid, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("calendar_id", Uuid, nullable=False),
    Column("targets", JSONB, nullable=False),
    instant("created_at"),
    ForeignKeyConstraint(
        ["tenant_id", "policy_id"],
        ["support_ticket.sla_policy.tenant_id", "support_ticket.sla_policy.id"],
        name="fk_sla_policy_version_policy",
    ),
)

# One row per metric of an episode. `instance` numbers the clocks of a metric that starts again
# within an episode (next response); the two metrics of today have one each.
sla_clock = Table(
    "sla_clock",
    metadata,
    tenant_column(),
    Column("ticket_id", Uuid, primary_key=True),
    Column("episode", Integer, primary_key=True),
    Column("metric", Text, primary_key=True),
    Column("instance", SmallInteger, primary_key=True),
    Column("state", Text, nullable=False),
    Column("target_seconds", Integer, nullable=False),
    Column("consumed_microseconds", BigInteger, nullable=False),
    instant("started_at"),
    instant("running_since", nullable=True),
    instant("due_at", nullable=True),
    instant("ended_at", nullable=True),
    CheckConstraint("metric IN ('first_response', 'resolution')", name="metric"),
    CheckConstraint("state IN ('running', 'paused', 'fulfilled', 'cancelled')", name="state"),
    CheckConstraint("(state = 'running') = (running_since IS NOT NULL)", name="running"),
    ForeignKeyConstraint(
        ["tenant_id", "ticket_id", "episode"],
        [
            "support_ticket.ticket_episode.tenant_id",
            "support_ticket.ticket_episode.ticket_id",
            "support_ticket.ticket_episode.number",
        ],
        name="fk_sla_clock_episode",
    ),
)

# What happened to a clock after it started, for explaining a due time.
sla_event = Table(
    "sla_event",
    metadata,
    tenant_column(),
    Column("ticket_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("episode", Integer, nullable=False),
    Column("metric", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("target_seconds", Integer, nullable=False),
    instant("due_at", nullable=True),
    instant("at"),
    CheckConstraint(
        "kind IN ('paused', 'resumed', 'retargeted', 'fulfilled', 'cancelled')", name="kind"
    ),
)

impersonal(sla_policy, "the shop's own rules")
impersonal(sla_policy_version, "the shop's own rules")
impersonal(sla_clock, "times of tickets")
impersonal(sla_event, "times of tickets")
