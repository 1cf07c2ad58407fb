"""The table of the people whom one speaks to at an organisation."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKeyConstraint, Index, Table, Text, Uuid

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import personal

contact_person = Table(
    "contact_person",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("position", Text),
    Column("email", Text),
    Column("phone", Text),
    Column("note", Text),
    Column("is_primary", Boolean, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    ForeignKeyConstraint(
        ["tenant_id", "customer_id"], ["customer.customer.tenant_id", "customer.customer.id"]
    ),
)
Index(
    "ix_contact_person_newest",
    contact_person.c.tenant_id,
    contact_person.c.customer_id,
    contact_person.c.created_at,
    contact_person.c.id,
)
Index(
    "uq_contact_person_primary",
    contact_person.c.tenant_id,
    contact_person.c.customer_id,
    unique=True,
    postgresql_where=contact_person.c.is_primary,
)

personal(contact_person, erase="row")
