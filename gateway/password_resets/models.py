"""Tables of the password-resets slice."""

from sqlalchemy import CheckConstraint, Column, Index, Table, Text, Uuid

from gateway.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

# The token of a link is nowhere in the database: it is made from the id with the root key.
password_reset = Table(
    "password_reset",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("staff_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    instant("created_at"),
    instant("expires_at"),
    instant("used_at", nullable=True),
    CheckConstraint("kind IN ('reset', 'invitation')", name="kind"),
)
Index("ix_password_reset_staff", password_reset.c.tenant_id, password_reset.c.staff_id)

impersonal(password_reset, "staff")
