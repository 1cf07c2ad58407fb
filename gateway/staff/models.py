"""Tables of the staff slice."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Table, Text, Uuid

from gateway.models import metadata
from shared.db.tables import instant, tenant_column

staff = Table(
    "staff",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    # The address in the form in which it is looked up: whole, in small letters.
    Column("email_key", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("role IN ('owner', 'admin', 'manager', 'agent', 'analyst')", name="role"),
)
Index("uq_staff_email", staff.c.tenant_id, staff.c.email_key, unique=True)
Index("ix_staff_newest", staff.c.tenant_id, staff.c.created_at, staff.c.id)
