"""Business calendars: the current definition, and every version there ever was.

A clock that started under a version keeps measuring by it, so versions are never changed.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.support_ticket.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

business_calendar = Table(
    "business_calendar",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("definition", JSONB, nullable=False),
    instant("created_at"),
    instant("updated_at"),
)
Index(
    "uq_business_calendar_default",
    business_calendar.c.tenant_id,
    unique=True,
    postgresql_where=business_calendar.c.is_default.is_(True),
)

business_calendar_version = Table(
    "business_calendar_version",
    metadata,
    tenant_column(),
    Column("calendar_id", Uuid, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("definition", JSONB, nullable=False),
    instant("created_at"),
    ForeignKeyConstraint(
        ["tenant_id", "calendar_id"],
        ["support_ticket.business_calendar.tenant_id", "support_ticket.business_calendar.id"],
        name="fk_business_calendar_version_calendar",
    ),
)

impersonal(business_calendar, "the shop's own hours")
impersonal(business_calendar_version, "the shop's own hours")
