"""The ledger of what people agreed to: rows are added, never changed."""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column

consent_record = Table(
    "consent_record",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("proof", JSONB, nullable=False),
    instant("changed_at"),
    instant("created_at"),
    CheckConstraint("purpose IN ('marketing', 'care')", name="purpose"),
    CheckConstraint("channel IN ('email', 'sms', 'zalo', 'call')", name="channel"),
    CheckConstraint("status IN ('granted', 'withdrawn')", name="status"),
    ForeignKeyConstraint(
        ["tenant_id", "customer_id"], ["customer.customer.tenant_id", "customer.customer.id"]
    ),
)
Index(
    "ix_consent_record_newest",
    consent_record.c.tenant_id,
    consent_record.c.customer_id,
    consent_record.c.changed_at,
    consent_record.c.id,
)
