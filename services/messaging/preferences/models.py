"""Addresses that must not be written to any more: a row for each reason why."""

from sqlalchemy import CheckConstraint, Column, Index, Table, Text, UniqueConstraint, Uuid

from services.messaging.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import personal

suppression = Table(
    "suppression",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("message_id", Uuid),
    Column("customer_id", Uuid),
    instant("created_at"),
    UniqueConstraint("tenant_id", "channel", "address", "scope", "reason"),
    CheckConstraint("scope IN ('marketing', 'all')", name="scope"),
    CheckConstraint(
        "reason IN ('unsubscribed', 'invalid_address', 'complaint', 'manual')", name="reason"
    ),
)
Index(
    "ix_suppression_tenant_id_created_at_id",
    suppression.c.tenant_id,
    suppression.c.created_at,
    suppression.c.id,
)
Index("ix_suppression_tenant_id_reason", suppression.c.tenant_id, suppression.c.reason)

Index(
    "ix_suppression_customer",
    suppression.c.tenant_id,
    suppression.c.customer_id,
    postgresql_where=suppression.c.customer_id.is_not(None),
)

# The address itself becomes a digest (`erasure.py`), so that it is still not written to.
personal(
    suppression,
    erase={"customer_id": None},
    kept={"address": "as a digest, so that they are not written to if somebody imports them again"},
)
