"""Tables of the loyalty programme. Points are whole; money is whole minor units."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    and_,
    or_,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal, personal

# What a shop promises; one programme per shop.
loyalty_programme = Table(
    "loyalty_programme",
    metadata,
    tenant_column(),
    Column("name", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("currency", Text, nullable=False),
    # Orders placed before earn nothing.
    instant("starts_at"),
    Column("hold_days", Integer, nullable=False),
    Column("expires_after_months", Integer),
    Column("point_value_minor", BigInteger, nullable=False),
    Column("min_redemption", BigInteger, nullable=False),
    Column("tier_basis", Text, nullable=False),
    Column("tier_window_months", Integer, nullable=False),
    Column("tier_grace_days", Integer, nullable=False),
    # How long before they expire people are told of their points; null for never.
    Column("expiry_notice_days", Integer),
    # How far the nightly look at tiers has come: the day it is for, and after whom to go on.
    Column("reviewed_on", Date),
    Column("reviewed_until", Uuid),
    # When the next look begins: the shops' own midnights are no business of the database.
    instant("review_due_at", nullable=True),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("tier_basis IN ('points', 'spend')", name="tier_basis"),
    CheckConstraint("hold_days >= 0", name="hold_days"),
    CheckConstraint("min_redemption > 0", name="min_redemption"),
)

loyalty_rule = Table(
    "loyalty_rule",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("points", BigInteger, nullable=False),
    # For each full so much of an order.
    Column("per_amount_minor", BigInteger),
    Column("currency", Text),
    # For each time this is told of a customer, so many times at most.
    Column("event", Text),
    Column("limit_per_customer", Integer),
    Column("active", Boolean, nullable=False),
    instant("starts_at", nullable=True),
    instant("ends_at", nullable=True),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("points > 0", name="points"),
    CheckConstraint(
        "(kind = 'order' AND per_amount_minor > 0 AND currency IS NOT NULL AND event IS NULL) "
        "OR (kind = 'event' AND event IS NOT NULL "
        "AND per_amount_minor IS NULL AND currency IS NULL)",
        name="kind",
    ),
)
Index("ix_loyalty_rule_newest", loyalty_rule.c.tenant_id, loyalty_rule.c.created_at)

# Points that came together and end together. No foreign key to the customer: whoever rewards
# somebody (a friend's order) must not wait for what is done to their row.
loyalty_lot = Table(
    "loyalty_lot",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    # What gave rise to it; one lot for one cause.
    Column("cause", Text, nullable=False),
    Column("order_id", Uuid),
    Column("rule_id", Uuid),
    # Granted and not taken back; what is left of it to spend; what of it expired.
    Column("points", BigInteger, nullable=False),
    Column("remaining", BigInteger, nullable=False),
    Column("expired", BigInteger, nullable=False),
    # Was spent before it was taken back, and is paid from what comes next.
    Column("owed", BigInteger, nullable=False),
    # What an order earned for, and how: `[{"rule_id", "points", "per_amount_minor"}]`.
    Column("amount_minor", BigInteger, nullable=False),
    Column("multiplier_percent", Integer, nullable=False),
    Column("terms", JSONB, nullable=False),
    instant("earned_at"),
    instant("available_at"),
    instant("matured_at", nullable=True),
    instant("expires_at", nullable=True),
    # When somebody was told that they are about to expire.
    instant("expiry_told_at", nullable=True),
    CheckConstraint("kind IN ('order', 'event', 'referral', 'adjustment')", name="kind"),
    CheckConstraint(
        "points >= 0 AND remaining >= 0 AND expired >= 0 AND owed >= 0", name="not_negative"
    ),
)
_lot = loyalty_lot.c
Index("uq_loyalty_lot_cause", _lot.tenant_id, _lot.cause, unique=True)
Index("ix_loyalty_lot_customer", _lot.tenant_id, _lot.customer_id, _lot.earned_at)
Index(
    "ix_loyalty_lot_open",
    _lot.tenant_id,
    _lot.customer_id,
    postgresql_where=or_(_lot.remaining > 0, _lot.owed > 0),
)
Index(
    "ix_loyalty_lot_order",
    _lot.tenant_id,
    _lot.order_id,
    postgresql_where=_lot.order_id.is_not(None),
)
Index(
    "ix_loyalty_lot_pending",
    _lot.tenant_id,
    _lot.available_at,
    postgresql_where=_lot.matured_at.is_(None),
)
Index(
    "ix_loyalty_lot_expiring",
    _lot.tenant_id,
    _lot.expires_at,
    postgresql_where=_lot.remaining > 0,
)
Index(
    "ix_loyalty_lot_untold",
    _lot.tenant_id,
    _lot.expires_at,
    postgresql_where=and_(
        _lot.remaining > 0, _lot.matured_at.is_not(None), _lot.expiry_told_at.is_(None)
    ),
)

# Double entry: each row moves points from one account to another and is never changed. A
# customer's are `pending`, `available` and `owed`, the others are the shop's.
loyalty_entry = Table(
    "loyalty_entry",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("lot_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("debit", Text, nullable=False),
    Column("credit", Text, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("order_id", Uuid),
    Column("redemption_id", Uuid),
    Column("note", Text),
    Column("actor_id", Text),
    instant("created_at"),
    CheckConstraint(
        "kind IN ('earn', 'mature', 'reverse', 'settle', 'redeem', 'restore', 'expire', 'adjust')",
        name="kind",
    ),
    CheckConstraint(
        "debit <> credit "
        "AND debit IN ('pending', 'available', 'owed', 'issued', 'redeemed', 'expired', "
        "'reversed', 'adjusted') "
        "AND credit IN ('pending', 'available', 'owed', 'issued', 'redeemed', 'expired', "
        "'reversed', 'adjusted')",
        name="accounts",
    ),
    CheckConstraint("points > 0", name="points"),
)
_entry = loyalty_entry.c
Index("ix_loyalty_entry_newest", _entry.tenant_id, _entry.customer_id, _entry.created_at, _entry.id)
Index(
    "ix_loyalty_entry_redemption",
    _entry.tenant_id,
    _entry.redemption_id,
    postgresql_where=_entry.redemption_id.is_not(None),
)

loyalty_redemption = Table(
    "loyalty_redemption",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("status", Text, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("value_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("reference", Text),
    Column("actor_id", Text, nullable=False),
    instant("created_at"),
    instant("cancelled_at", nullable=True),
    CheckConstraint("status IN ('done', 'cancelled')", name="status"),
    CheckConstraint("points > 0", name="points"),
)

loyalty_tier = Table(
    "loyalty_tier",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    # Points, or minor units spent, in the programme's window; see its `tier_basis`.
    Column("threshold", BigInteger, nullable=False),
    Column("multiplier_percent", Integer, nullable=False),
    # Whoever had it is told of the change from it to another.
    instant("removed_at", nullable=True),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("threshold >= 0", name="threshold"),
    CheckConstraint("multiplier_percent BETWEEN 1 AND 10000", name="multiplier_percent"),
)
Index(
    "uq_loyalty_tier_current",
    loyalty_tier.c.tenant_id,
    loyalty_tier.c.threshold,
    unique=True,
    postgresql_where=loyalty_tier.c.removed_at.is_(None),
)

# The tier of a customer who has one.
loyalty_member = Table(
    "loyalty_member",
    metadata,
    tenant_column(),
    Column("customer_id", Uuid, primary_key=True),
    Column("tier_id", Uuid, nullable=False),
    instant("since"),
    # They no longer reach it; until then it is left to them.
    instant("grace_until", nullable=True),
)

# The tier that each of those had who were merged; for the day when they part again.
loyalty_tier_before = Table(
    "loyalty_tier_before",
    metadata,
    tenant_column(),
    Column("merge_id", Uuid, primary_key=True),
    Column("customer_id", Uuid, primary_key=True),
    Column("tier_id", Uuid, nullable=False),
    instant("since"),
    instant("grace_until", nullable=True),
)
Index(
    "ix_loyalty_tier_before_customer",
    loyalty_tier_before.c.tenant_id,
    loyalty_tier_before.c.customer_id,
)

Index(
    "ix_loyalty_redemption_customer",
    loyalty_redemption.c.tenant_id,
    loyalty_redemption.c.customer_id,
)

impersonal(loyalty_programme, "the shop's own rules")
impersonal(loyalty_rule, "the shop's own rules")
impersonal(loyalty_tier, "the shop's own rules")
personal(loyalty_member, erase={})
personal(loyalty_tier_before, erase={})
personal(loyalty_lot, erase={}, kept={"terms": "by which rules it was earned"})
personal(loyalty_entry, erase={"note": None})
personal(loyalty_redemption, erase={"reference": None})
