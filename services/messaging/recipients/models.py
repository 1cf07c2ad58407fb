"""Customers as messages need to know them, and the last order of each. Both are projections."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from services.messaging.models import metadata
from shared.db.aliases import index_of_members
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import personal

recipient = Table(
    "recipient",
    metadata,
    tenant_column(),
    Column("customer_id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("code", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("name", Text),
    Column("email", Text),
    Column("email_key", Text),
    Column("phone", Text),
    Column("locale", Text),
    # Where they would like to be written to; what they said is not used while restricted.
    Column("preferred_channel", Text),
    Column("value_tier", Text, nullable=False),
    Column("orders_count", Integer, nullable=False),
    Column("consents", JSONB, nullable=False),
    # Nothing is written to them but answers to what they ask themselves.
    Column("restricted", Boolean, nullable=False, server_default=text("false")),
    # The record that stands for this one; null for one that stands for itself.
    Column("merged_into", Uuid),
    instant("updated_at"),
)
Index("ix_recipient_tenant_id_email_key", recipient.c.tenant_id, recipient.c.email_key)
Index("ix_recipient_tenant_id_phone", recipient.c.tenant_id, recipient.c.phone)
index_of_members(recipient)

last_order = Table(
    "last_order",
    metadata,
    tenant_column(),
    Column("customer_id", Uuid, primary_key=True),
    Column("order_id", Uuid, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("number", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    instant("placed_at"),
)

# The row stays with its version: states that are older than it do not count.
personal(
    recipient,
    erase={
        **dict.fromkeys(("name", "email", "email_key", "phone", "locale")),
        "preferred_channel": None,
        "consents": [],
    },
    kept={"code": "stands for nobody once there is no name beside it"},
)
personal(last_order, erase="row")
