"""The table of everything that ever happened to a customer."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import personal

# The id of an entry that tells of an event is the event's id: one event, one entry.
timeline_entry = Table(
    "timeline_entry",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("source", Text, nullable=False),
    instant("occurred_at"),
    Column("data", JSONB, nullable=False),
    ForeignKeyConstraint(
        ["tenant_id", "customer_id"], ["customer.customer.tenant_id", "customer.customer.id"]
    ),
)
Index(
    "ix_timeline_entry_newest",
    timeline_entry.c.tenant_id,
    timeline_entry.c.customer_id,
    timeline_entry.c.occurred_at,
    timeline_entry.c.id,
)
# For pages of some types only: without it a rare type is looked for among all entries.
Index(
    "ix_timeline_entry_type",
    timeline_entry.c.tenant_id,
    timeline_entry.c.customer_id,
    timeline_entry.c.type,
    timeline_entry.c.occurred_at,
    timeline_entry.c.id,
)

personal(timeline_entry, erase={"data": {}})
