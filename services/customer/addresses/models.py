"""The table of customers' addresses. Codes of units are those of `units.py`, of both schemes."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKeyConstraint, Index, Table, Text, Uuid

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import personal

customer_address = Table(
    "customer_address",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("label", Text, nullable=False),
    Column("recipient_name", Text),
    Column("recipient_phone", Text),
    Column("company", Text),
    Column("full_address", Text),
    Column("street", Text),
    Column("ward", Text),
    Column("district", Text),
    # Outside of Vietnam, where it is no unit of the country's.
    Column("city", Text),
    Column("province", Text),
    Column("country", Text),
    Column("postal_code", Text),
    # How the names are meant, where the client has said so.
    Column("scheme", Text),
    Column("vn63_province_code", Text),
    Column("vn63_district_code", Text),
    Column("vn63_ward_code", Text),
    Column("vn34_province_code", Text),
    Column("vn34_ward_code", Text),
    Column("vn34_ward_is_certain", Boolean, nullable=False),
    Column("is_primary", Boolean, nullable=False),
    # Who told of it, and what they call it: told again, it is the same address.
    Column("source", Text),
    Column("external_id", Text),
    # A digest of what they said last, and when it was so.
    Column("told", Text),
    instant("told_at", nullable=True),
    # Who has changed what the source told.
    Column("corrected_by", Text),
    instant("corrected_at", nullable=True),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    ForeignKeyConstraint(
        ["tenant_id", "customer_id"], ["customer.customer.tenant_id", "customer.customer.id"]
    ),
)
Index(
    "ix_customer_address_newest",
    customer_address.c.tenant_id,
    customer_address.c.customer_id,
    customer_address.c.created_at,
    customer_address.c.id,
)
Index(
    "uq_customer_address_primary",
    customer_address.c.tenant_id,
    customer_address.c.customer_id,
    unique=True,
    postgresql_where=customer_address.c.is_primary,
)
Index(
    "uq_customer_address_source",
    customer_address.c.tenant_id,
    customer_address.c.customer_id,
    customer_address.c.source,
    customer_address.c.external_id,
    unique=True,
    postgresql_where=customer_address.c.source.is_not(None),
)

removed_address = Table(
    "removed_address",
    metadata,
    tenant_column(),
    Column("customer_id", Uuid, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("external_id", Text, primary_key=True),
    # What the source said of it when it was removed here.
    Column("told", Text, nullable=False),
    instant("removed_at"),
)

personal(customer_address, erase="row", hidden=("told",))
personal(removed_address, erase="row", hidden=("told",))
