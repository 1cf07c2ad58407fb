"""Tables of the API-keys slice."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from gateway.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

api_key = Table(
    "api_key",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False, server_default=text("'secret'")),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    # What a person recognises a key by: its prefix and the last characters of its secret.
    Column("hint", Text, nullable=False),
    Column("scopes", JSONB, nullable=False),
    Column("allowed_ips", JSONB, nullable=False, server_default=text("'[]'")),
    Column("allowed_origins", JSONB, nullable=False, server_default=text("'[]'")),
    Column("rate_limit", JSONB(none_as_null=True)),
    Column("created_by", Text, nullable=False),
    instant("created_at"),
    instant("updated_at", nullable=True),
    instant("expires_at", nullable=True),
    instant("revoked_at", nullable=True),
    # The secret before the last rotation, and until when it is still good.
    Column("previous_digest", LargeBinary),
    instant("previous_until", nullable=True),
    instant("rotated_at", nullable=True),
    instant("last_used_at", nullable=True),
    Column("last_used_ip", Text),
    Column("version", BigInteger, nullable=False, server_default=text("1")),
    CheckConstraint("kind IN ('secret', 'publishable')", name="kind"),
)
Index("ix_api_key_newest", api_key.c.tenant_id, api_key.c.created_at, api_key.c.id)

impersonal(api_key, "of programs")
