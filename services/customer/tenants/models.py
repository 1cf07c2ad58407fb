"""What a shop has decided about its customers."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Table, Text

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

impersonal(value_policy, "the shop's own rules")
