"""What a shop allows itself to send: one policy per tenant."""

from sqlalchemy import BigInteger, Column, Table
from sqlalchemy.dialects.postgresql import JSONB

from services.messaging.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

policy = Table(
    "policy",
    metadata,
    tenant_column(),
    Column("version", BigInteger, nullable=False),
    Column("rules", JSONB, nullable=False),
    instant("created_at"),
    instant("updated_at"),
)

impersonal(policy, "the shop's own rules")
