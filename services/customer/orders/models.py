"""Tables of orders. Money is whole minor units of the order's currency."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    and_,
    false,
    literal_column,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import belonging_to, personal

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
    Column("staff", Text),
    instant("cancelled_at", nullable=True),
    Column("cancel_reason", Text),
    # Addresses, codes, words: what is shown with an order and nobody looks for.
    Column("details", JSONB(none_as_null=True)),
    # What the source says, where its payments and refunds say more.
    Column("told_financial_status", Text),
    Column("told_refunded_minor", BigInteger),
    # What its parts add up to.
    Column("has_parts", Boolean, nullable=False, server_default=false()),
    Column("paid_minor", BigInteger, nullable=False, server_default="0"),
    Column("refunds_minor", BigInteger, nullable=False, server_default="0"),
    Column("returns_count", BigInteger, nullable=False, server_default="0"),
    instant("paid_at", nullable=True),
    instant("shipped_at", nullable=True),
    instant("delivered_at", nullable=True),
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
# Written out, as an index of some rows is used only where its condition is seen in the statement.
COUNTED = and_(
    customer_order.c.status != literal_column("'cancelled'"),
    customer_order.c.financial_status != literal_column("'voided'"),
    customer_order.c.deleted_at.is_(None),
)
"""The orders that count among their customers' orders."""
Index(
    "ix_customer_order_counted",
    customer_order.c.tenant_id,
    customer_order.c.customer_id,
    customer_order.c.placed_at,
    customer_order.c.currency,
    postgresql_where=COUNTED,
)

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
    Column("discount_minor", BigInteger),
    Column("tax_minor", BigInteger),
    Column("category", Text),
    Column("vendor", Text),
    ForeignKeyConstraint(
        ["tenant_id", "order_id"],
        ["customer.customer_order.tenant_id", "customer.customer_order.id"],
    ),
)


def _part(name: str, *columns: Any) -> Table:
    """A table of things that belong to orders; the order's source names them by ids of its own."""
    return Table(
        name,
        metadata,
        tenant_column(),
        Column("order_id", Uuid, primary_key=True),
        Column("external_id", Text, primary_key=True),
        Column("id", Uuid, nullable=False),
        *columns,
        instant("changed_at"),
        instant("created_at"),
        instant("updated_at"),
        Column("version", BigInteger, nullable=False),
        ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["customer.customer_order.tenant_id", "customer.customer_order.id"],
        ),
    )


order_payment = _part(
    "order_payment",
    Column("method", Text),
    Column("status", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("reference", Text),
    instant("paid_at", nullable=True),
    CheckConstraint(
        "status IN ('pending', 'authorized', 'paid', 'failed', 'voided')", name="status"
    ),
)
order_refund = _part(
    "order_refund",
    Column("amount_minor", BigInteger, nullable=False),
    Column("reason", Text),
    Column("lines", JSONB, nullable=False),
    instant("refunded_at"),
)
order_return = _part(
    "order_return",
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("lines", JSONB, nullable=False),
    Column("restock", Boolean),
    instant("requested_at"),
    instant("received_at", nullable=True),
    CheckConstraint("status IN ('requested', 'received', 'refused')", name="status"),
)
order_fulfillment = _part(
    "order_fulfillment",
    Column("status", Text, nullable=False),
    Column("carrier", Text),
    Column("tracking_number", Text),
    Column("tracking_url", Text),
    Column("lines", JSONB, nullable=False),
    instant("shipped_at", nullable=True),
    instant("delivered_at", nullable=True),
    CheckConstraint(
        "status IN ('pending', 'shipped', 'delivered', 'failed', 'cancelled')", name="status"
    ),
)
_ACCOUNTS = "accounts have to be kept, and updates of the order find it by that"
personal(
    customer_order,
    erase={"cancel_reason": None, "details": None},
    kept={"external_id": _ACCOUNTS, "number": _ACCOUNTS},
)
_of_order = belonging_to(customer_order, "order_id")
personal(order_line, of=_of_order, erase={})
personal(order_payment, of=_of_order, erase={"reference": None})
personal(order_refund, of=_of_order, erase={"reason": None}, kept={"lines": _ACCOUNTS})
personal(order_return, of=_of_order, erase={"reason": None}, kept={"lines": _ACCOUNTS})
personal(
    order_fulfillment,
    of=_of_order,
    erase={"tracking_number": None, "tracking_url": None},
    kept={"lines": _ACCOUNTS},
)
