"""Tables of the webhooks slice."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from gateway.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

webhook_endpoint = Table(
    "webhook_endpoint",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("url", Text, nullable=False),
    Column("description", Text),
    Column("event_types", JSONB, nullable=False),
    # Headers may hold credentials of the receiver's.
    Column("sealed_headers", Text),
    Column("rate_limit", Integer),
    Column("enabled", Boolean, nullable=False),
    Column("disabled_reason", Text),
    instant("disabled_at", nullable=True),
    Column("sealed_secret", Text, nullable=False),
    # Until then everything is signed with the secret before the last rotation, too.
    Column("sealed_previous_secret", Text),
    instant("previous_secret_until", nullable=True),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("disabled_reason IN ('failing', 'gone')", name="disabled_reason"),
)
Index(
    "ix_webhook_endpoint_newest",
    webhook_endpoint.c.tenant_id,
    webhook_endpoint.c.created_at,
    webhook_endpoint.c.id,
)

# An endpoint's queue: who works it off right now, and how the receiver does. Apart from the
# endpoint, because it changes with every sending.
webhook_queue = Table(
    "webhook_queue",
    metadata,
    tenant_column(),
    Column("endpoint_id", Uuid, primary_key=True),
    Column("owner", Uuid),
    instant("lease_until", nullable=True),
    # Slow or failing: worked off with less zeal, so that it takes no room from others.
    Column("troubled", Boolean, nullable=False),
    Column("failures", Integer, nullable=False),
    instant("failing_since", nullable=True),
    instant("paused_until", nullable=True),
)

webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    tenant_column(),
    Column("endpoint_id", Uuid, primary_key=True),
    # One delivery per event and endpoint, however often it is tried or asked for again.
    Column("event_id", Uuid, primary_key=True),
    Column("position", BigInteger),
    Column("type", Text, nullable=False),
    # A test event is in no feed.
    Column("body", Text),
    Column("status", Text, nullable=False),
    # All attempts; and those since it was last asked for, which the schedule counts.
    Column("attempts", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    instant("due_at", nullable=True),
    instant("created_at"),
    instant("finished_at", nullable=True),
    Column("last_status", SmallInteger),
    Column("last_error", Text),
    CheckConstraint("status IN ('pending', 'succeeded', 'failed', 'cancelled')", name="status"),
    CheckConstraint("(status = 'pending') = (due_at IS NOT NULL)", name="due_while_pending"),
)
Index(
    "ix_webhook_delivery_due",
    webhook_delivery.c.tenant_id,
    webhook_delivery.c.endpoint_id,
    webhook_delivery.c.due_at,
    webhook_delivery.c.event_id,
    postgresql_where=text("status = 'pending'"),
)
Index(
    "ix_webhook_delivery_tenants_due",
    webhook_delivery.c.tenant_id,
    webhook_delivery.c.due_at,
    postgresql_where=text("status = 'pending'"),
)
Index(
    "ix_webhook_delivery_unsuccessful",
    webhook_delivery.c.tenant_id,
    webhook_delivery.c.endpoint_id,
    webhook_delivery.c.event_id,
    postgresql_where=text("status IN ('failed', 'cancelled')"),
)

webhook_attempt = Table(
    "webhook_attempt",
    metadata,
    tenant_column(),
    Column("endpoint_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    Column("url", Text, nullable=False),
    instant("started_at"),
    Column("duration_ms", Integer, nullable=False),
    Column("succeeded", Boolean, nullable=False),
    Column("status", SmallInteger),
    # JSON, for people to look at.
    Column("headers", Text),
    Column("body", Text),
    Column("error", Text),
    Column("detail", Text),
)
Index(
    "ix_webhook_attempt_event",
    webhook_attempt.c.tenant_id,
    webhook_attempt.c.endpoint_id,
    webhook_attempt.c.event_id,
    webhook_attempt.c.id,
)

impersonal(webhook_endpoint, "the shop's own addresses")
impersonal(webhook_queue, "where the sending stands")
impersonal(webhook_delivery, "bodies are forgotten with the events, after `EVENT_DAYS`")
impersonal(webhook_attempt, "answers are forgotten with the events, after `EVENT_DAYS`")
