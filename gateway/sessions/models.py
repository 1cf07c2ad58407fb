"""Tables of the sessions slice."""

from sqlalchemy import Column, Index, LargeBinary, Table, Text, Uuid

from gateway.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

# A session is what refresh-token literature calls a family: all tokens that descend from a login.
session = Table(
    "session",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("staff_id", Uuid, nullable=False),
    instant("created_at"),
    instant("expires_at"),
    instant("last_used_at", nullable=True),
    instant("ended_at", nullable=True),
    Column("end_reason", Text),
    # Where it was opened or last renewed from; a person recognises their own devices by it.
    Column("user_agent", Text),
    Column("client_ip", Text),
)
Index("ix_session_staff", session.c.tenant_id, session.c.staff_id)

refresh_token = Table(
    "refresh_token",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("session_id", Uuid, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    instant("created_at"),
    instant("expires_at"),
    instant("spent_at", nullable=True),
)
Index("ix_refresh_token_session", refresh_token.c.tenant_id, refresh_token.c.session_id)

impersonal(session, "staff")
impersonal(refresh_token, "staff")
