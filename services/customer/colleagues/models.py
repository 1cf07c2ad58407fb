"""Who works with whom: this service's projection of the staff."""

from sqlalchemy import BigInteger, Boolean, Column, Table, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.models import metadata
from shared.db.tables import tenant_column
from shared.privacy.registry import impersonal

colleague = Table(
    "colleague",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("active", Boolean, nullable=False),
    # Ids as texts; "whose teams are among these" is all that is asked of them.
    Column("team_ids", JSONB, nullable=False, server_default=text("'[]'")),
)

impersonal(colleague, "staff")
