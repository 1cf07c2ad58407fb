"""Tables of scans for duplicates: what was found, and what a scan that runs has to remember."""

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

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal, passing

# Its id is that of the job that does it; jobs are forgotten after a while, scans are not.
duplicate_scan = Table(
    "duplicate_scan",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("mode", Text, nullable=False),
    Column("min_score", SmallInteger, nullable=False),
    Column("status", Text, nullable=False),
    # In mode `changed`: who was changed since then is compared with everybody.
    instant("changed_since", nullable=True),
    Column("customers", BigInteger, nullable=False),
    Column("comparisons", BigInteger, nullable=False),
    Column("pairs", BigInteger, nullable=False),
    Column("new_pairs", BigInteger, nullable=False),
    # Blocks too large to say anything, by kind: how many, and of how many customers.
    Column("skipped", JSONB, nullable=False),
    # Whether anything of what it has written down for itself is left.
    Column("has_remains", Boolean, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    instant("finished_at", nullable=True),
    CheckConstraint("mode IN ('full', 'changed')", name="mode"),
    CheckConstraint("status IN ('running', 'succeeded', 'failed', 'cancelled')", name="status"),
)
Index(
    "uq_duplicate_scan_running",
    duplicate_scan.c.tenant_id,
    unique=True,
    postgresql_where=duplicate_scan.c.status == "running",
)
Index(
    "ix_duplicate_scan_newest",
    duplicate_scan.c.tenant_id,
    duplicate_scan.c.created_at,
    duplicate_scan.c.id,
)
# A scan that did not end well leaves its notes to whoever tidies up.
remains = duplicate_scan.c.has_remains & (duplicate_scan.c.status != "running")
Index("ix_duplicate_scan_remains", duplicate_scan.c.tenant_id, postgresql_where=remains)

# What a scan compares, as it was when the scan came by.
scan_person = Table(
    "duplicate_scan_person",
    metadata,
    tenant_column(),
    Column("scan_id", Uuid, primary_key=True),
    Column("customer_id", Uuid, primary_key=True),
    Column("person", JSONB, nullable=False),
    Column("is_changed", Boolean, nullable=False),
)
# A row per customer and key; those who have a key in common are a block.
scan_key = Table(
    "duplicate_scan_key",
    metadata,
    tenant_column(),
    Column("scan_id", Uuid, primary_key=True),
    Column("block", BigInteger, primary_key=True),
    Column("customer_id", Uuid, primary_key=True),
    Column("kind", SmallInteger, nullable=False),
    # A block in which nobody is need not be compared.
    Column("is_changed", Boolean, nullable=False, server_default=text("true")),
)
scan_pair = Table(
    "duplicate_scan_pair",
    metadata,
    tenant_column(),
    Column("scan_id", Uuid, primary_key=True),
    Column("older_id", Uuid, primary_key=True),
    Column("newer_id", Uuid, primary_key=True),
    Column("score", SmallInteger, nullable=False),
    Column("reasons", JSONB, nullable=False),
)

duplicate_policy = Table(
    "duplicate_policy",
    metadata,
    tenant_column(),
    Column("nightly", Boolean, nullable=False),
    Column("min_score", SmallInteger, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    Column("version", Integer, nullable=False),
    CheckConstraint("min_score BETWEEN 20 AND 99", name="min_score"),
)
Index(
    "ix_duplicate_policy_nightly",
    duplicate_policy.c.tenant_id,
    postgresql_where=duplicate_policy.c.nightly,
)

impersonal(duplicate_scan, "counts")
impersonal(duplicate_policy, "the shop's own rules")
passing(scan_person, "what a scan that runs compares; forgotten when it ends")
passing(scan_key, "what a scan that runs compares; forgotten when it ends")
passing(scan_pair, "what a scan that runs has found; forgotten when it ends")
