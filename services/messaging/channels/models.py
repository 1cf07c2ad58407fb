"""The e-mail accounts that a shop connected; a projection of the gateway's connections."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Integer, Table, Text, Uuid

from services.messaging.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

email_channel = Table(
    "email_channel",
    metadata,
    tenant_column(),
    Column("connection_id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("host", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("security", Text, nullable=False),
    Column("sender_name", Text, nullable=False),
    Column("sender_address", Text, nullable=False),
    Column("sealed_credentials", Text),
    Column("active", Boolean, nullable=False),
    instant("updated_at"),
    CheckConstraint("security IN ('none', 'starttls', 'tls')", name="security"),
)

impersonal(email_channel, "the shop's own address")
