"""Templates: one row per key, its contents per channel and language in one document."""

from sqlalchemy import BigInteger, Column, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from services.messaging.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

template = Table(
    "template",
    metadata,
    tenant_column(),
    Column("key", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("description", Text),
    Column("contents", JSONB, nullable=False),
    instant("created_at"),
    instant("updated_at"),
)

impersonal(template, "the shop's own words")
