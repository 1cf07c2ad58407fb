"""What is sent by itself: a trigger, a template, a class and a channel."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from services.messaging.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

automation = Table(
    "automation",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("segment_key", Text, nullable=False),
    Column("template_key", Text, nullable=False),
    Column("message_class", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("names_channel", Boolean, nullable=False, server_default=text("false")),
    Column("occurrence", Text, nullable=False),
    Column("delay_minutes", Integer, nullable=False),
    Column("cancel_on_exit", Boolean, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    UniqueConstraint("tenant_id", "key"),
    CheckConstraint("status IN ('active', 'paused')", name="status"),
    CheckConstraint("trigger IN ('segment_entered')", name="trigger"),
    CheckConstraint("message_class IN ('care', 'advertising')", name="message_class"),
    CheckConstraint("channel IN ('email')", name="channel"),
    CheckConstraint("occurrence IN ('once', 'every_entry')", name="occurrence"),
)
Index(
    "ix_automation_tenant_id_segment_key",
    automation.c.tenant_id,
    automation.c.segment_key,
)

impersonal(automation, "the shop's own plans")
