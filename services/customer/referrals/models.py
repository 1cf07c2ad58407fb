"""Tables of referrals: who brought whom, and what came of it."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Table, Text, Uuid

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal, owned_by, personal

# What a shop gives for a friend; one programme per shop.
referral_programme = Table(
    "referral_programme",
    metadata,
    tenant_column(),
    Column("active", Boolean, nullable=False),
    Column("referrer_points", BigInteger, nullable=False),
    Column("friend_points", BigInteger, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("referrer_points >= 0 AND friend_points >= 0", name="not_negative"),
)

referral_code = Table(
    "referral_code",
    metadata,
    tenant_column(),
    Column("customer_id", Uuid, primary_key=True),
    Column("code", Text, nullable=False),
    instant("created_at"),
)
Index("uq_referral_code_code", referral_code.c.tenant_id, referral_code.c.code, unique=True)

# A friend is brought once, by one person.
referral = Table(
    "referral",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("code", Text, nullable=False),
    Column("referrer_id", Uuid, nullable=False),
    Column("friend_id", Uuid, nullable=False),
    Column("status", Text, nullable=False),
    # Why nothing came of it.
    Column("reason", Text),
    Column("order_id", Uuid),
    Column("referrer_points", BigInteger),
    Column("friend_points", BigInteger),
    instant("created_at"),
    instant("decided_at", nullable=True),
    CheckConstraint("status IN ('pending', 'rewarded', 'void')", name="status"),
    CheckConstraint("reason IN ('same_person', 'not_new')", name="reason"),
)
_referral = referral.c
Index("uq_referral_friend", _referral.tenant_id, _referral.friend_id, unique=True)
Index("ix_referral_newest", _referral.tenant_id, _referral.created_at, _referral.id)
Index(
    "ix_referral_referrer",
    _referral.tenant_id,
    _referral.referrer_id,
    _referral.created_at,
    _referral.id,
)
Index("ix_referral_decided", _referral.tenant_id, _referral.status, _referral.decided_at)

impersonal(referral_programme, "the shop's own rules")
personal(referral_code, erase="row")
personal(referral, of=owned_by("referrer_id", "friend_id"), erase={})
