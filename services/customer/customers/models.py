"""Tables of the customers themselves.

A row of `customer` holds everything that other services may know of a customer, current consents
and order figures included, so that one row tells the whole state.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Date,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.models import metadata
from shared.db.tables import Instant, instant, tenant_column
from shared.privacy.registry import owned_by, personal

customer = Table(
    "customer",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("code", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("kind", Text, nullable=False, server_default=text("'person'")),
    Column("relation", Text, nullable=False, server_default=text("'customer'")),
    Column("name", Text),
    Column("email", Text),
    Column("phone", Text),
    Column("locale", Text),
    Column("gender", Text),
    Column("birth_date", Date),
    Column("city", Text),
    Column("province", Text),
    Column("country", Text),
    Column("source", Text, nullable=False),
    # The member of staff whose customer it is.
    Column("owner_id", Uuid),
    # The record it was merged into, and who stands for all of them; see `families`.
    Column("parent_id", Uuid),
    Column("merged_into", Uuid),
    Column("tags", JSONB, nullable=False),
    Column("attributes", JSONB, nullable=False),
    # What else is known, as the API writes it; see `profile.py`.
    Column("profile", JSONB, nullable=False, server_default=text("'{}'")),
    # Who said what of the fields; see `says.py`. Only read where something is changed.
    Column("provenance", JSONB(none_as_null=True)),
    Column("consents", JSONB, nullable=False),
    Column("value_tier", Text, nullable=False),
    Column("orders_count", Integer, nullable=False),
    Column("total_spent_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    instant("first_order_at", nullable=True),
    instant("last_order_at", nullable=True),
    # Kept and not used, at the person's wish; and when they were made anonymous; see `privacy`.
    instant("restricted_at", nullable=True),
    instant("erased_at", nullable=True),
    # When the import that brought them was taken back: until they are heard of again they are
    # nobody, and in no list.
    instant("removed_at", nullable=True),
    # Of the person, on the record that stands for them; see `interactions`.
    instant("last_interaction_at", nullable=True),
    Column("name_key", Text(collation="C")),
    Column("search_key", Text, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("stage IN ('lead', 'customer')", name="stage"),
    CheckConstraint("gender IN ('female', 'male', 'other')", name="gender"),
    CheckConstraint("value_tier IN ('standard', 'silver', 'gold', 'vip')", name="value_tier"),
)

Index("uq_customer_code", customer.c.tenant_id, customer.c.code, unique=True)
# A list is read from its newest end; a filter keeps that order.
Index("ix_customer_newest", customer.c.tenant_id, customer.c.created_at, customer.c.id)
Index(
    "ix_customer_stage_newest",
    customer.c.tenant_id,
    customer.c.stage,
    customer.c.created_at,
    customer.c.id,
)
Index(
    "ix_customer_source_newest",
    customer.c.tenant_id,
    customer.c.source,
    customer.c.created_at,
    customer.c.id,
)
# Whose customers somebody sees who does not see all; those of nobody are found by it, too.
Index(
    "ix_customer_owner_newest",
    customer.c.tenant_id,
    customer.c.owner_id,
    customer.c.created_at,
    customer.c.id,
)
Index(
    "ix_customer_merged_into",
    customer.c.tenant_id,
    customer.c.merged_into,
    postgresql_where=customer.c.merged_into.is_not(None),
)
# What lists are sorted and filtered by besides. Most are partial: new customers have nothing there
# yet, or are what nearly everybody is, and cost nothing.
Index("ix_customer_updated", customer.c.tenant_id, customer.c.updated_at, customer.c.id)
for _name, _has_one in (
    ("last_order_at", customer.c.last_order_at.is_not(None)),
    ("last_interaction_at", customer.c.last_interaction_at.is_not(None)),
    ("orders_count", customer.c.orders_count > 0),
    ("total_spent_minor", customer.c.total_spent_minor > 0),
    ("birth_date", customer.c.birth_date.is_not(None)),
):
    Index(
        f"ix_customer_{_name}",
        customer.c.tenant_id,
        customer.c[_name],
        customer.c.id,
        postgresql_where=_has_one,
    )
# When a person was last active, oldest first: whose data have been kept for long.
LAST_ACTIVE: Final[ColumnElement[datetime]] = func.greatest(
    customer.c.created_at, customer.c.last_order_at, customer.c.last_interaction_at, type_=Instant
)
Index(
    "ix_customer_last_active",
    customer.c.tenant_id,
    LAST_ACTIVE,
    customer.c.id,
    postgresql_where=customer.c.merged_into.is_(None) & customer.c.erased_at.is_(None),
)
for _name, _is_other in (
    ("province", customer.c.province.is_not(None)),
    ("city", customer.c.city.is_not(None)),
    ("value_tier", customer.c.value_tier != "standard"),
    ("kind", customer.c.kind != "person"),
    ("relation", customer.c.relation != "customer"),
):
    Index(
        f"ix_customer_{_name}_newest",
        customer.c.tenant_id,
        customer.c[_name],
        customer.c.created_at,
        customer.c.id,
        postgresql_where=_is_other,
    )
# Written out where a condition is that of a partial index: from a parameter, a plan for all values
# cannot tell that the index has the rows.
NOTHING: Final = literal_column("0", Integer)
# In the C collation, whose order serves `LIKE 'nguyen van%'`.
Index("ix_customer_name_key", customer.c.tenant_id, customer.c.name_key)
Index(
    "ix_customer_search_key",
    customer.c.tenant_id,
    customer.c.search_key,
    postgresql_using="gin",
    postgresql_ops={"tenant_id": "public.uuid_ops", "search_key": "public.gin_trgm_ops"},
    # A short pending list (kB): what it holds is searched row by row.
    postgresql_with={"gin_pending_list_limit": "256"},
)
# Of those who were merged: what they are found by leads to who stands for them.
Index(
    "ix_customer_search_key_merged",
    customer.c.tenant_id,
    customer.c.search_key,
    postgresql_using="gin",
    postgresql_ops={"tenant_id": "public.uuid_ops", "search_key": "public.gin_trgm_ops"},
    postgresql_where=customer.c.merged_into.is_not(None),
)

# A row per tag, because under row-level security no index serves `tags @> ...`: that operator is
# not leakproof, so PostgreSQL runs it only after the policy has passed each row.
customer_tag = Table(
    "customer_tag",
    metadata,
    tenant_column(),
    Column("tag", Text, primary_key=True),
    Column("customer_id", Uuid, primary_key=True),
    instant("created_at"),
)
Index(
    "ix_customer_tag_newest",
    customer_tag.c.tenant_id,
    customer_tag.c.tag,
    customer_tag.c.created_at,
    customer_tag.c.customer_id,
)
Index("ix_customer_tag_customer", customer_tag.c.tenant_id, customer_tag.c.customer_id)

# What a customer can be recognised by. A verified identity belongs to one customer; a claimed one
# may be anybody's, and never links records by itself.
customer_identity = Table(
    "customer_identity",
    metadata,
    tenant_column(),
    Column("customer_id", Uuid, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("id", Uuid, nullable=False),
    Column("original", Text, nullable=False),
    Column("standing", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("connection_id", Uuid),
    # Until when the platform has told us of the person it knows by this id.
    instant("told_at", nullable=True),
    # What has ended or is shared by several people is claimed, whatever it was: so it links nobody
    # and leaves room for somebody else's verified one.
    instant("valid_from", nullable=True),
    instant("valid_until", nullable=True),
    instant("verified_at", nullable=True),
    Column("shared", Boolean, nullable=False, server_default=text("false")),
    Column("reason", Text),
    # The times before, of who has it again: pairs of from and until.
    Column("earlier", JSONB(none_as_null=True)),
    instant("created_at"),
    Column("version", BigInteger, nullable=False, server_default=text("1")),
    CheckConstraint("kind IN ('platform_id', 'email', 'phone')", name="kind"),
    CheckConstraint("standing IN ('verified', 'claimed')", name="standing"),
    CheckConstraint("kind <> 'platform_id' OR standing = 'verified'", name="platform_id_trusted"),
    CheckConstraint("valid_until IS NULL OR standing = 'claimed'", name="ended_links_nobody"),
    CheckConstraint("NOT shared OR standing = 'claimed'", name="shared_links_nobody"),
)
Index(
    "uq_customer_identity_verified",
    customer_identity.c.tenant_id,
    customer_identity.c.kind,
    customer_identity.c.scope,
    customer_identity.c.value,
    unique=True,
    postgresql_where=customer_identity.c.standing == "verified",
)
Index(
    "ix_customer_identity_value",
    customer_identity.c.tenant_id,
    customer_identity.c.kind,
    customer_identity.c.scope,
    customer_identity.c.value,
    customer_identity.c.standing,
)

personal(
    customer,
    of=owned_by("id"),
    erase={
        **dict.fromkeys(("name", "email", "phone", "locale", "gender", "birth_date")),
        **dict.fromkeys(("city", "province", "country", "name_key")),
        "search_key": "",
        "tags": [],
        "attributes": {},
        "profile": {},
        "consents": [],
        "provenance": None,
    },
    kept={"code": "stands for nobody once there is no name beside it"},
    hidden=("name_key", "search_key"),
)
personal(customer_tag, erase="row")
personal(customer_identity, erase="row")
