"""The ledger of merges: who was merged into whom, what that changed, and whether it still holds."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import belonging_to, naming_nobody_else, personal

customer_merge = Table(
    "customer_merge",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    # The record that stood for itself and stays; the others were merged into it.
    Column("survivor_id", Uuid, nullable=False),
    Column("status", Text, nullable=False),
    # Whom it joins still, and who was taken out of it by themselves: who, when and by whom.
    Column("merged_ids", JSONB, nullable=False),
    Column("taken_out", JSONB, nullable=False, server_default=text("'[]'")),
    Column("reason", Text),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    # What was taken from whom, as `combining.Taken` has it, and the tags that came.
    Column("taken", JSONB, nullable=False),
    Column("tags_added", JSONB, nullable=False),
    # The survivor's fields as the merge left them, to tell what was changed since.
    Column("outcome", JSONB, nullable=False),
    # The duplicate candidates that it answered.
    Column("answered_ids", JSONB, nullable=False),
    instant("created_at"),
    instant("undone_at", nullable=True),
    Column("undone_by", Text),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("status IN ('done', 'undone')", name="status"),
    ForeignKeyConstraint(
        ["tenant_id", "survivor_id"], ["customer.customer.tenant_id", "customer.customer.id"]
    ),
)
Index(
    "ix_customer_merge_survivor",
    customer_merge.c.tenant_id,
    customer_merge.c.survivor_id,
    customer_merge.c.id,
)

customer_merge_record = Table(
    "customer_merge_record",
    metadata,
    tenant_column(),
    Column("merge_id", Uuid, primary_key=True),
    Column("customer_id", Uuid, primary_key=True),
    Column("stays", Boolean, nullable=False),
    ForeignKeyConstraint(
        ["tenant_id", "merge_id"],
        ["customer.customer_merge.tenant_id", "customer.customer_merge.id"],
    ),
    ForeignKeyConstraint(
        ["tenant_id", "customer_id"], ["customer.customer.tenant_id", "customer.customer.id"]
    ),
)
Index(
    "ix_customer_merge_record_customer",
    customer_merge_record.c.tenant_id,
    customer_merge_record.c.customer_id,
    customer_merge_record.c.merge_id,
)

personal(customer_merge_record, erase={})
personal(
    customer_merge,
    of=belonging_to(customer_merge_record, "id", parent_column="merge_id"),
    erase={"reason": None, "taken": [], "tags_added": [], "outcome": {}},
    kept={
        "merged_ids": "which records are one",
        "taken_out": "which records were one for a while",
        "answered_ids": "which questions it answered",
    },
    # Who was merged by mistake is somebody else, and the row has what both of them had.
    told=naming_nobody_else(customer_merge_record, "merge_id"),
)
