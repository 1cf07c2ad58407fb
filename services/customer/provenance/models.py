"""The table of whom a shop believes first. What sources said is a column of `customer`."""

from sqlalchemy import BigInteger, Column, Table
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column

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
