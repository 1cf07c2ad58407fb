"""Tables of the staff-policy slice."""

from sqlalchemy import BigInteger, Column, Table
from sqlalchemy.dialects.postgresql import JSONB

from gateway.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

# A shop without a row has changed nothing of what `StaffPolicy` starts with.
staff_policy = Table(
    "staff_policy",
    metadata,
    tenant_column(),
    Column("visibility", JSONB, nullable=False),
    Column("second_factor_for", JSONB, nullable=False),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
)

impersonal(staff_policy, "the shop's own rules")
