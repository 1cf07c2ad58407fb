"""Tables of the API-keys slice."""

from sqlalchemy import Column, Index, LargeBinary, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from gateway.models import metadata
from shared.db.tables import instant, tenant_column

api_key = Table(
    "api_key",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    # What a person recognises a key by: its prefix and the last characters of its secret.
    Column("hint", Text, nullable=False),
    Column("scopes", JSONB, nullable=False),
    Column("created_by", Text, nullable=False),
    instant("created_at"),
    instant("expires_at", nullable=True),
    instant("revoked_at", nullable=True),
)
Index("ix_api_key_newest", api_key.c.tenant_id, api_key.c.created_at, api_key.c.id)
