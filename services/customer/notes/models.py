"""The table of what staff have noted about customers."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKeyConstraint, Index, Table, Text, Uuid

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import personal

note = Table(
    "note",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("text", Text, nullable=False),
    Column("pinned", Boolean, nullable=False),
    # The member of staff who wrote it; unknown when something else did.
    Column("created_by", Uuid),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    ForeignKeyConstraint(
        ["tenant_id", "customer_id"], ["customer.customer.tenant_id", "customer.customer.id"]
    ),
)
Index(
    "ix_note_customer",
    note.c.tenant_id,
    note.c.customer_id,
    note.c.pinned,
    note.c.created_at,
    note.c.id,
)
Index("ix_note_recorded", note.c.tenant_id, note.c.created_at, note.c.id)

personal(note, erase="row")
