"""What customers say of products and of their orders, and what it comes to per product."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import belonging_to, impersonal, personal

review = Table(
    "review",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    # Of a product, for others to read; or of an order, for the shop.
    Column("kind", Text, nullable=False),
    # Nobody, when somebody wrote who is not logged in: what they say of themselves is a claim.
    Column("customer_id", Uuid),
    Column("order_id", Uuid),
    Column("product_id", Text),
    Column("rating", Integer, nullable=False),
    Column("title", Text),
    Column("text", Text),
    Column("photos", JSONB, nullable=False),
    Column("author_name", Text),
    Column("verified", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("suspicions", JSONB, nullable=False),
    Column("answer", Text),
    Column("answered_by", Uuid),
    instant("answered_at", nullable=True),
    Column("client_ip", Text),
    # How many find it helpful; no change of the review itself, so no new version of it.
    Column("helpful_count", BigInteger, nullable=False, server_default=text("0")),
    instant("published_at", nullable=True),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("kind IN ('product', 'order')", name="kind"),
    CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
    CheckConstraint("status IN ('pending', 'published', 'rejected', 'private')", name="status"),
    CheckConstraint(
        "(kind = 'product' AND product_id IS NOT NULL AND status <> 'private') OR "
        "(kind = 'order' AND order_id IS NOT NULL AND status = 'private')",
        name="subject",
    ),
    ForeignKeyConstraint(
        ["tenant_id", "customer_id"], ["customer.customer.tenant_id", "customer.customer.id"]
    ),
    ForeignKeyConstraint(
        ["tenant_id", "order_id"],
        ["customer.customer_order.tenant_id", "customer.customer_order.id"],
    ),
)
_r = review.c
Index(
    "uq_review_order",
    _r.tenant_id,
    _r.order_id,
    unique=True,
    postgresql_where=text("kind = 'order'"),
)
Index(
    "uq_review_customer_product",
    _r.tenant_id,
    _r.customer_id,
    _r.product_id,
    unique=True,
    postgresql_where=text("kind = 'product' AND customer_id IS NOT NULL"),
)
Index("ix_review_newest", _r.tenant_id, _r.created_at, _r.id)
Index("ix_review_status", _r.tenant_id, _r.status, _r.created_at, _r.id)
Index("ix_review_customer", _r.tenant_id, _r.customer_id, _r.created_at, _r.id)
Index("ix_review_of_product", _r.tenant_id, _r.product_id, _r.status, _r.created_at, _r.id)
Index(
    "ix_review_most_helpful",
    _r.tenant_id,
    _r.product_id,
    _r.status,
    _r.helpful_count,
    _r.created_at,
    _r.id,
)
Index(
    "ix_review_with_address",
    _r.tenant_id,
    _r.created_at,
    _r.id,
    postgresql_where=text("client_ip IS NOT NULL"),
)
Index(
    "ix_review_sender",
    _r.tenant_id,
    _r.client_ip,
    _r.created_at,
    postgresql_where=text("client_ip IS NOT NULL"),
)

# The products that something is about: one of a review, those of the order of its rating.
review_product = Table(
    "review_product",
    metadata,
    tenant_column(),
    Column("product_id", Text, primary_key=True),
    Column("review_id", Uuid, primary_key=True),
    instant("created_at"),
    ForeignKeyConstraint(
        ["tenant_id", "review_id"], ["customer.review.tenant_id", "customer.review.id"]
    ),
)
Index(
    "ix_review_product_newest",
    review_product.c.tenant_id,
    review_product.c.product_id,
    review_product.c.created_at,
    review_product.c.review_id,
)
Index("ix_review_product_review", review_product.c.tenant_id, review_product.c.review_id)

# Who finds a review helpful: a customer's record, or somebody at an address, of which only a digest
# is kept.
review_vote = Table(
    "review_vote",
    metadata,
    tenant_column(),
    Column("review_id", Uuid, primary_key=True),
    Column("voter", Uuid, primary_key=True),
    Column("customer_id", Uuid),
    instant("created_at"),
    ForeignKeyConstraint(
        ["tenant_id", "review_id"], ["customer.review.tenant_id", "customer.review.id"]
    ),
    ForeignKeyConstraint(
        ["tenant_id", "customer_id"], ["customer.customer.tenant_id", "customer.customer.id"]
    ),
)
Index(
    "ix_review_vote_customer",
    review_vote.c.tenant_id,
    review_vote.c.customer_id,
    postgresql_where=review_vote.c.customer_id.is_not(None),
)

# What was sent of late by people who are not logged in: the same again is the same review.
review_fingerprint = Table(
    "review_fingerprint",
    metadata,
    tenant_column(),
    Column("digest", LargeBinary, primary_key=True),
    Column("review_id", Uuid, nullable=False),
    instant("received_at"),
)
Index(
    "ix_review_fingerprint_review", review_fingerprint.c.tenant_id, review_fingerprint.c.review_id
)
Index(
    "ix_review_fingerprint_received",
    review_fingerprint.c.tenant_id,
    review_fingerprint.c.received_at,
)

# How many have given how many stars: published reviews of a product, ratings of orders with it.
product_rating = Table(
    "product_rating",
    metadata,
    tenant_column(),
    Column("product_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("stars_1", BigInteger, nullable=False),
    Column("stars_2", BigInteger, nullable=False),
    Column("stars_3", BigInteger, nullable=False),
    Column("stars_4", BigInteger, nullable=False),
    Column("stars_5", BigInteger, nullable=False),
    Column("verified_count", BigInteger, nullable=False),
    Column("helpful_count", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint("kind IN ('product', 'order')", name="kind"),
)

review_policy = Table(
    "review_policy",
    metadata,
    tenant_column(),
    Column("auto_publish", Text, nullable=False),
    Column("from_stars", Integer, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("auto_publish IN ('never', 'verified', 'all')", name="auto_publish"),
    CheckConstraint("from_stars BETWEEN 1 AND 5", name="from_stars"),
)

personal(
    review,
    erase={
        **dict.fromkeys(("title", "text", "author_name", "client_ip")),
        "photos": [],
    },
    kept={
        "reason": "why the shop did not publish it",
        "suspicions": "codes: what looked odd",
    },
)
personal(review_product, of=belonging_to(review, "review_id"), erase={})
personal(review_fingerprint, of=belonging_to(review, "review_id"), erase="row", hidden=("digest",))
personal(review_vote, erase={}, hidden=("voter",))
impersonal(product_rating, "counts")
impersonal(review_policy, "the shop's own rules")
