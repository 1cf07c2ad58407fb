"""Tables of vouchers and gifts. Money is whole minor units of the voucher's currency."""

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
)

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal, personal

# What is promised, and on which terms; the codes are what people have in hand.
voucher = Table(
    "voucher",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("percent", Integer),
    # What is taken off, or what the gift is worth.
    Column("value_minor", BigInteger),
    Column("gift", Text),
    Column("max_discount_minor", BigInteger),
    Column("min_order_minor", BigInteger, nullable=False),
    Column("max_value_percent", Integer),
    Column("uses_per_code", Integer),
    Column("limit_per_customer", Integer),
    Column("limit_total", BigInteger),
    # Counted where there is a limit only: others need not wait for each other.
    Column("redeemed", BigInteger, nullable=False),
    Column("active", Boolean, nullable=False),
    instant("valid_from"),
    instant("valid_until", nullable=True),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint(
        "(kind = 'percent' AND percent BETWEEN 1 AND 100) "
        "OR (kind = 'amount' AND value_minor > 0) "
        "OR (kind = 'gift' AND value_minor >= 0 AND gift IS NOT NULL)",
        name="kind",
    ),
    CheckConstraint("max_value_percent BETWEEN 1 AND 100", name="max_value_percent"),
    CheckConstraint("limit_total IS NULL OR redeemed <= limit_total", name="limit_total"),
)
Index("ix_voucher_newest", voucher.c.tenant_id, voucher.c.created_at, voucher.c.id)

# No foreign key to the customer it was issued to, as for points: rewards wait for nobody's row.
voucher_code = Table(
    "voucher_code",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("voucher_id", Uuid, nullable=False),
    Column("code", Text, nullable=False),
    # Whose it is; anybody's who has it in hand, if nobody's.
    Column("customer_id", Uuid),
    Column("used", Integer, nullable=False),
    instant("created_at"),
    CheckConstraint("used >= 0", name="used"),
    ForeignKeyConstraint(
        ["tenant_id", "voucher_id"], ["customer.voucher.tenant_id", "customer.voucher.id"]
    ),
)
_code = voucher_code.c
Index("uq_voucher_code_code", _code.tenant_id, _code.code, unique=True)
Index("ix_voucher_code_newest", _code.tenant_id, _code.voucher_id, _code.created_at, _code.id)
Index(
    "ix_voucher_code_customer",
    _code.tenant_id,
    _code.customer_id,
    _code.created_at,
    _code.id,
    postgresql_where=_code.customer_id.is_not(None),
)

voucher_redemption = Table(
    "voucher_redemption",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("voucher_id", Uuid, nullable=False),
    Column("code_id", Uuid, nullable=False),
    Column("customer_id", Uuid),
    Column("status", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("order_minor", BigInteger, nullable=False),
    Column("discount_minor", BigInteger, nullable=False),
    Column("reference", Text),
    Column("actor_id", Text, nullable=False),
    instant("created_at"),
    instant("cancelled_at", nullable=True),
    CheckConstraint("status IN ('done', 'cancelled')", name="status"),
    CheckConstraint("discount_minor BETWEEN 0 AND order_minor", name="discount_minor"),
    ForeignKeyConstraint(
        ["tenant_id", "code_id"], ["customer.voucher_code.tenant_id", "customer.voucher_code.id"]
    ),
)
_redemption = voucher_redemption.c
Index(
    "ix_voucher_redemption_customer",
    _redemption.tenant_id,
    _redemption.customer_id,
    _redemption.voucher_id,
    postgresql_where=_redemption.customer_id.is_not(None),
)

impersonal(voucher, "the shop's own offers")
personal(voucher_code, erase={}, kept={"code": "says nothing of who had it"})
personal(voucher_redemption, erase={"reference": None})
