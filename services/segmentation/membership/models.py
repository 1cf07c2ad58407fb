"""Who belongs to which segment now, and everything that ever happened to that.

No foreign keys: these rows are written with every batch of events, and their segments are never
deleted, only marked so.
"""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text, Uuid

from services.segmentation.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import personal

membership = Table(
    "membership",
    metadata,
    tenant_column(),
    Column("segment_id", Uuid, primary_key=True),
    Column("customer_id", Uuid, primary_key=True),
    # The rule they entered under, and why.
    Column("rule_version", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    instant("entered_at"),
)
Index(None, membership.c.tenant_id, membership.c.customer_id)
Index(
    "ix_membership_newest",
    membership.c.tenant_id,
    membership.c.segment_id,
    membership.c.entered_at,
    membership.c.customer_id,
)

membership_change = Table(
    "membership_change",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("segment_id", Uuid, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("change", Text, nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    instant("at"),
    CheckConstraint("change IN ('entered', 'left')", name="change"),
)
Index(
    "ix_membership_change_by_customer",
    membership_change.c.tenant_id,
    membership_change.c.segment_id,
    membership_change.c.customer_id,
    membership_change.c.at,
    membership_change.c.id,
)
Index(
    "ix_membership_change_newest",
    membership_change.c.tenant_id,
    membership_change.c.segment_id,
    membership_change.c.at,
    membership_change.c.id,
)

due_customer = Table(
    "due_customer",
    metadata,
    tenant_column(),
    Column("customer_id", Uuid, primary_key=True),
    instant("due_at"),
)

Index(
    "ix_membership_change_customer",
    membership_change.c.tenant_id,
    membership_change.c.customer_id,
)

personal(membership, erase={})
personal(membership_change, erase={})
personal(due_customer, erase={})
