"""Tables of the staff slice."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    Uuid,
)

from gateway.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

staff = Table(
    "staff",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    # The address in the form in which it is looked up: whole, in small letters.
    Column("email_key", Text, nullable=False),
    # A built-in role; with a role of the shop's own, the built-in one that resembles it.
    Column("role", Text, nullable=False),
    Column("role_id", Uuid),
    # Whose work the member sees, where that is not what the role says.
    Column("visibility", Text),
    Column("password_hash", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    # Since when logging in takes a code as well; the secret is the second-factor slice's.
    instant("second_factor_at", nullable=True),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("role IN ('owner', 'admin', 'manager', 'agent', 'analyst')", name="role"),
    CheckConstraint("visibility IN ('all', 'team', 'own')", name="visibility"),
    ForeignKeyConstraint(["tenant_id", "role_id"], ["gateway.role.tenant_id", "gateway.role.id"]),
)
Index("uq_staff_email", staff.c.tenant_id, staff.c.email_key, unique=True)
Index("ix_staff_newest", staff.c.tenant_id, staff.c.created_at, staff.c.id)
Index(
    "ix_staff_role_id",
    staff.c.tenant_id,
    staff.c.role_id,
    postgresql_where=staff.c.role_id.is_not(None),
)

impersonal(staff, "staff")
