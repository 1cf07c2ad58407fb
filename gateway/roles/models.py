"""Tables of the roles slice: the roles that a shop has made itself."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from gateway.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

role = Table(
    "role",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    # The name as it is compared: two roles must not look alike.
    Column("name_key", Text, nullable=False),
    Column("description", Text),
    Column("scopes", JSONB, nullable=False),
    Column("visibility", Text, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("visibility IN ('all', 'team', 'own')", name="visibility"),
)
Index("uq_role_name", role.c.tenant_id, role.c.name_key, unique=True)
Index("ix_role_newest", role.c.tenant_id, role.c.created_at, role.c.id)

impersonal(role, "the shop's own rules")
