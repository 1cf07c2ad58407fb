"""Segments, and every rule that each of them ever had."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.segmentation.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

segment = Table(
    "segment",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("key", Text, nullable=False),
    Column("name", JSONB, nullable=False),
    Column("rule", JSONB, nullable=False),
    Column("rule_version", Integer, nullable=False),
    # Which template made the rule, with what; null for a rule of the shop's own.
    Column("template", JSONB(none_as_null=True)),
    Column("status", Text, nullable=False),
    # Whether time alone can change who belongs to it.
    Column("timed", Boolean, nullable=False),
    Column("version", BigInteger, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    instant("deleted_at", nullable=True),
    CheckConstraint("status IN ('active', 'paused')", name="status"),
)
Index(
    "uq_segment_key",
    segment.c.tenant_id,
    segment.c.key,
    unique=True,
    postgresql_where=text("deleted_at IS NULL"),
)
Index(None, segment.c.tenant_id, segment.c.created_at, segment.c.id)
Index(
    "ix_segment_timed",
    segment.c.tenant_id,
    postgresql_where=text("timed AND status = 'active' AND deleted_at IS NULL"),
)

segment_version = Table(
    "segment_version",
    metadata,
    tenant_column(),
    Column("segment_id", Uuid, primary_key=True),
    Column("rule_version", Integer, primary_key=True),
    Column("rule", JSONB, nullable=False),
    Column("template", JSONB(none_as_null=True)),
    Column("created_by", Text, nullable=False),
    instant("created_at"),
    ForeignKeyConstraint(["tenant_id", "segment_id"], [segment.c.tenant_id, segment.c.id]),
)

impersonal(segment, "the shop's own rules")
impersonal(segment_version, "the shop's own rules")
