"""Tables of the events slice."""

from sqlalchemy import BigInteger, Column, Index, Table, Text, Uuid

from gateway.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.field_marks import field_mark_table
from shared.privacy.registry import impersonal

event = Table(
    "event",
    metadata,
    tenant_column(),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    # JSON as it leaves. Text: nobody asks the database about it, and parsing it would cost.
    Column("data", Text, nullable=False),
)
Index("uq_event_id", event.c.tenant_id, event.c.id, unique=True)

# One row per shop: who holds it gives the next positions.
event_log = Table(
    "event_log",
    metadata,
    tenant_column(),
    Column("last_position", BigInteger, nullable=False),
    # Everything up to here has been forgotten.
    Column("forgotten_position", BigInteger, nullable=False),
)

# Events and audit entries show customers: of a shop's own fields they are masked by these.
field_mark = field_mark_table(metadata)

impersonal(event, "told and forgotten after `EVENT_DAYS`")
impersonal(event_log, "positions")
