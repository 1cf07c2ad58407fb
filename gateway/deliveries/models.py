"""Tables of the deliveries slice."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, Table, Text, Uuid

from gateway.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

delivery = Table(
    "delivery",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("connection_id", Uuid, nullable=False),
    # The same delivery sent again has the same key.
    Column("dedup_key", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    instant("triggered_at", nullable=True),
    instant("received_at"),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("error", Text),
    Column("attempts", Integer, nullable=False),
    instant("processed_at", nullable=True),
    # What the delivery was found to tell of, as the platform names it.
    Column("object_kind", Text),
    Column("object_id", Text),
    # The W3C trace context of the request that brought it, for the reading to follow.
    Column("trace", Text),
    CheckConstraint("status IN ('pending', 'processed', 'ignored', 'failed')", name="status"),
    CheckConstraint("object_kind IN ('customer', 'order')", name="object_kind"),
)
Index(
    "uq_delivery_dedup_key",
    delivery.c.tenant_id,
    delivery.c.connection_id,
    delivery.c.dedup_key,
    unique=True,
)
Index(
    "ix_delivery_pending",
    delivery.c.tenant_id,
    delivery.c.id,
    postgresql_where=delivery.c.status == "pending",
)
Index(
    "ix_delivery_newest",
    delivery.c.tenant_id,
    delivery.c.connection_id,
    delivery.c.received_at,
    delivery.c.id,
)
Index(
    "ix_delivery_object",
    delivery.c.tenant_id,
    delivery.c.object_kind,
    delivery.c.connection_id,
    delivery.c.object_id,
    postgresql_where=delivery.c.status == "processed",
)

impersonal(delivery, "the bodies of people are erased by `erasure.py`")
