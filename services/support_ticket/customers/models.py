"""This service's projection of customers and of the segments they are in."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Table, Text, Uuid

from services.support_ticket.models import metadata
from shared.db.aliases import index_of_members
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import owned_by, personal

customer = Table(
    "customer",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text),
    Column("email", Text),
    Column("phone", Text),
    Column("locale", Text),
    Column("value_tier", Text, nullable=False),
    # Who looks after them, and whose colleagues see them; null for nobody in particular.
    Column("owner_id", Uuid),
    # The record that stands for this one; null for one that stands for itself.
    Column("merged_into", Uuid),
    CheckConstraint("value_tier IN ('standard', 'silver', 'gold', 'vip')", name="value_tier"),
)
Index(
    "ix_customer_email",
    customer.c.tenant_id,
    customer.c.email,
    postgresql_where=customer.c.email.is_not(None),
)
Index(
    "ix_customer_phone",
    customer.c.tenant_id,
    customer.c.phone,
    postgresql_where=customer.c.phone.is_not(None),
)
index_of_members(customer)

# Exits stay as rows: a late entry that is older than the exit must not bring the member back.
segment_membership = Table(
    "segment_membership",
    metadata,
    tenant_column(),
    Column("customer_id", Uuid, primary_key=True),
    Column("segment_id", Uuid, primary_key=True),
    Column("segment_key", Text, nullable=False),
    Column("segment_name", Text, nullable=False),
    Column("inside", Boolean, nullable=False),
    instant("at"),
)

personal(
    customer,
    of=owned_by("id"),
    erase=dict.fromkeys(("name", "email", "phone", "locale")),
    kept={"code": "stands for nobody once there is no name beside it"},
)
personal(segment_membership, erase={}, kept={"segment_name": "the shop's own word"})
