"""Tables of when customers and staff meet, and of the calendars that staff have subscribed to."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import ERASED, impersonal, personal

appointment = Table(
    "appointment",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("staff_id", Uuid),
    Column("title", Text, nullable=False),
    Column("place", Text),
    Column("note", Text),
    instant("starts_at"),
    instant("ends_at"),
    Column("status", Text, nullable=False),
    # What came of it, in a word of the shop's.
    Column("result_code", Text),
    # Booked though the member of staff has another one at that time.
    Column("overbooked", Boolean, nullable=False),
    Column("remind_minutes", Integer),
    instant("reminder_at", nullable=True),
    instant("reminded_at", nullable=True),
    Column("created_by", Uuid),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("status IN ('planned', 'kept', 'missed', 'cancelled')", name="status"),
    CheckConstraint("starts_at < ends_at", name="period"),
    ForeignKeyConstraint(
        ["tenant_id", "customer_id"], ["customer.customer.tenant_id", "customer.customer.id"]
    ),
)
Index(
    "ix_appointment_coming",
    appointment.c.tenant_id,
    appointment.c.starts_at,
    appointment.c.id,
)
Index(
    "ix_appointment_customer",
    appointment.c.tenant_id,
    appointment.c.customer_id,
    appointment.c.starts_at,
    appointment.c.id,
)
Index(
    "ix_appointment_staff",
    appointment.c.tenant_id,
    appointment.c.staff_id,
    appointment.c.starts_at,
    appointment.c.id,
)
Index(
    "ix_appointment_reminder",
    appointment.c.tenant_id,
    appointment.c.reminder_at,
    postgresql_where=text("status = 'planned' AND reminder_at IS NOT NULL AND reminded_at IS NULL"),
)

# Whoever knows the secret of an address reads the calendar; only its digest is kept.
calendar_feed = Table(
    "calendar_feed",
    metadata,
    tenant_column(),
    Column("staff_id", Uuid, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    instant("created_at"),
)
Index("uq_calendar_feed_digest", calendar_feed.c.tenant_id, calendar_feed.c.digest, unique=True)

personal(appointment, erase={"title": ERASED, "place": None, "note": None})
impersonal(calendar_feed, "staff")
