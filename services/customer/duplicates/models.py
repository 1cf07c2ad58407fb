"""Pairs of customers who may be one person."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Table,
    Text,
    Uuid,
    column,
    table,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import owned_by, personal

# The customers' own slice stands on this one, so only what is asked of the table is known here.
customer_record = table(
    "customer",
    column("tenant_id", Uuid),
    column("id", Uuid),
    column("merged_into", Uuid),
    schema="customer",
)

duplicate_candidate = Table(
    "duplicate_candidate",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("older_id", Uuid, nullable=False),
    Column("newer_id", Uuid, nullable=False),
    Column("score", SmallInteger, nullable=False),
    Column("reasons", JSONB, nullable=False),
    Column("status", Text, nullable=False),
    # The merge that answered the question.
    Column("merge_id", Uuid),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("older_id < newer_id", name="one_order"),
    CheckConstraint("score BETWEEN 1 AND 100", name="score"),
    CheckConstraint("status IN ('open', 'dismissed', 'merged')", name="status"),
    ForeignKeyConstraint(
        ["tenant_id", "older_id"], ["customer.customer.tenant_id", "customer.customer.id"]
    ),
    ForeignKeyConstraint(
        ["tenant_id", "newer_id"], ["customer.customer.tenant_id", "customer.customer.id"]
    ),
)
Index(
    "uq_duplicate_candidate_pair",
    duplicate_candidate.c.tenant_id,
    duplicate_candidate.c.older_id,
    duplicate_candidate.c.newer_id,
    unique=True,
)
Index(
    "ix_duplicate_candidate_newest",
    duplicate_candidate.c.tenant_id,
    duplicate_candidate.c.status,
    duplicate_candidate.c.created_at,
    duplicate_candidate.c.id,
)
# The likeliest first, or from some score on.
Index(
    "ix_duplicate_candidate_score",
    duplicate_candidate.c.tenant_id,
    duplicate_candidate.c.status,
    duplicate_candidate.c.score,
    duplicate_candidate.c.id,
)
Index(
    "ix_duplicate_candidate_newer",
    duplicate_candidate.c.tenant_id,
    duplicate_candidate.c.newer_id,
)

personal(duplicate_candidate, of=owned_by("older_id", "newer_id"), erase="row")
