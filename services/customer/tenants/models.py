"""What a shop has decided about its customers."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

value_policy = Table(
    "value_policy",
    metadata,
    tenant_column(),
    Column("currency", Text, nullable=False),
    Column("silver_from_minor", BigInteger, nullable=False),
    Column("gold_from_minor", BigInteger, nullable=False),
    Column("vip_from_minor", BigInteger, nullable=False),
    instant("updated_at"),
    CheckConstraint(
        "0 < silver_from_minor AND silver_from_minor <= gold_from_minor "
        "AND gold_from_minor <= vip_from_minor",
        name="ascending",
    ),
)

# Whom the shop believes first when sources say different things of a customer.
source_priority = Table(
    "source_priority",
    metadata,
    tenant_column(),
    Column("sources", JSONB, nullable=False),
    # The same for single fields, by their names.
    Column("fields", JSONB, nullable=False),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
)

impersonal(value_policy, "the shop's own rules")
impersonal(source_priority, "the shop's own rules")
