"""Tables of orders. Money is whole minor units of the order's currency."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
)

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column

customer_order = Table(
    "customer_order",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("source", Text, nullable=False),
    # What the external id is unique within: shops of one platform number their orders alike.
    Column("scope", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("connection_id", Uuid),
    Column("number", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("financial_status", Text, nullable=False),
    Column("fulfillment_status", Text),
    Column("channel", Text),
    Column("store", Text),
    Column("currency", Text, nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("subtotal_minor", BigInteger, nullable=False),
    Column("discount_minor", BigInteger, nullable=False),
    Column("shipping_minor", BigInteger, nullable=False),
    Column("tax_minor", BigInteger, nullable=False),
    Column("refunded_minor", BigInteger, nullable=False),
    instant("placed_at"),
    instant("changed_at"),
    instant("deleted_at", nullable=True),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("status IN ('open', 'completed', 'cancelled')", name="status"),
    CheckConstraint(
        "financial_status IN "
        "('pending', 'paid', 'partially_refunded', 'refunded', 'voided', 'unknown')",
        name="financial_status",
    ),
    ForeignKeyConstraint(
        ["tenant_id", "customer_id"], ["customer.customer.tenant_id", "customer.customer.id"]
    ),
)
Index(
    "uq_customer_order_external_id",
    customer_order.c.tenant_id,
    customer_order.c.scope,
    customer_order.c.external_id,
    unique=True,
)
Index(
    "ix_customer_order_newest",
    customer_order.c.tenant_id,
    customer_order.c.customer_id,
    customer_order.c.placed_at,
    customer_order.c.id,
)
Index("ix_customer_order_number", customer_order.c.tenant_id, customer_order.c.number)

order_line = Table(
    "order_line",
    metadata,
    tenant_column(),
    Column("order_id", Uuid, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("external_id", Text),
    Column("product_id", Text),
    Column("variant_id", Text),
    Column("sku", Text),
    Column("title", Text, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("unit_price_minor", BigInteger, nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    ForeignKeyConstraint(
        ["tenant_id", "order_id"],
        ["customer.customer_order.tenant_id", "customer.customer_order.id"],
    ),
)
