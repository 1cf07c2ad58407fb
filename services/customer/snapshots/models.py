"""The table of snapshots: who asked, and how far it has come."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Table, Text, Uuid

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

# Walks over ids in their order, `phase` by phase; `after_id` is the last one told.
snapshot = Table(
    "snapshot",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("requested_by", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("after_id", Uuid, nullable=False),
    Column("told", BigInteger, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    instant("finished_at", nullable=True),
    CheckConstraint("phase IN ('customers', 'orders', 'done')", name="phase"),
)
Index("ix_snapshot_open", snapshot.c.tenant_id, postgresql_where=snapshot.c.finished_at.is_(None))

impersonal(snapshot, "where a walk stands")
