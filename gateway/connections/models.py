"""Tables of the connections slice."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from gateway.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

connection = Table(
    "connection",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("platform", Text),
    Column("name", Text, nullable=False),
    # What the kind needs besides: SMTP host and sender, or how far a platform is trusted.
    Column("options", JSONB, nullable=False),
    Column("sealed_secret", Text),
    # Deliveries signed with the secret before the last rotation pass until then.
    Column("sealed_previous_secret", Text),
    instant("previous_secret_until", nullable=True),
    # What a store's own API is asked with, where deliveries only name what has changed.
    Column("sealed_access_token", Text),
    Column("active", Boolean, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("kind IN ('platform', 'email')", name="kind"),
    CheckConstraint("(kind = 'platform') = (platform IS NOT NULL)", name="platform"),
)
Index("ix_connection_newest", connection.c.tenant_id, connection.c.created_at, connection.c.id)

impersonal(connection, "the shop's own accounts")
