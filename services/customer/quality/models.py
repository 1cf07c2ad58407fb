"""Tables of data quality: a row per person, a row per problem, and the sums of them."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal, personal

# What was last judged of those who stand for a person; a moment behind, and told anew every night.
customer_quality = Table(
    "customer_quality",
    metadata,
    tenant_column(),
    Column("customer_id", Uuid, primary_key=True),
    Column("source", Text, nullable=False),
    Column("score", SmallInteger, nullable=False),
    Column("problems", JSONB, nullable=False),
    # How their numbers and addresses were rewritten, a word for each.
    Column("rewritings", JSONB, nullable=False),
    instant("judged_at"),
    CheckConstraint("score BETWEEN 0 AND 100", name="score"),
)
customer_problem = Table(
    "customer_problem",
    metadata,
    tenant_column(),
    Column("problem", Text, primary_key=True),
    Column("customer_id", Uuid, primary_key=True),
    Column("source", Text, nullable=False),
)
Index(
    "ix_customer_problem_source",
    customer_problem.c.tenant_id,
    customer_problem.c.problem,
    customer_problem.c.source,
    customer_problem.c.customer_id,
)
Index("ix_customer_problem_customer", customer_problem.c.tenant_id, customer_problem.c.customer_id)
# Sums over the rows of `customer_quality`, moved in the transaction that moves those.
quality_tally = Table(
    "quality_tally",
    metadata,
    tenant_column(),
    Column("source", Text, primary_key=True),
    Column("measure", Text, primary_key=True),
    Column("amount", BigInteger, nullable=False),
)
# What the shop has decided; its row is what whoever judges holds meanwhile.
quality_policy = Table(
    "quality_policy",
    metadata,
    tenant_column(),
    Column("weights", JSONB, nullable=False),
    Column("reviewed_on", Date),
    # When the next night of the shop's has come.
    instant("review_due_at", nullable=True),
    # Whoever was changed until then was judged since.
    instant("judged_until", nullable=True),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
)

# Judged anew when the customer is changed, and by an erasure, too.
personal(customer_quality, erase={}, kept={"problems": "codes", "rewritings": "codes"})
personal(customer_problem, erase={})
impersonal(quality_tally, "sums")
impersonal(quality_policy, "the shop's own rules")
