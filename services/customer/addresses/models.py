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
    Column("full_address", Text),
    Column("street", Text),
    Column("ward", Text),
    Column("district", Text),
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

personal(customer_address, erase="row")
