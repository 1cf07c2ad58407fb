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
    # Of a delivery that only names an object: what was fetched for it, when to try next, and how
    # often that was done since it came or was to be read again.
    Column("fetched", LargeBinary),
    instant("fetch_at", nullable=True),
    Column("fetch_tries", Integer),
    # What the delivery was found to tell of, as the platform names it.
    Column("object_kind", Text),
    Column("object_id", Text),
    # Since when there is no body any more; the row stays, so that the same one is known again.
    instant("forgotten_at", nullable=True),
    # The W3C trace context of the request that brought it, for the reading to follow.
    Column("trace", Text),
    CheckConstraint(
        "status IN ('pending', 'processed', 'ignored', 'failed', 'fetching')", name="status"
    ),
    CheckConstraint("object_kind IN ('customer', 'order', 'shop')", name="object_kind"),
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
    "ix_delivery_fetching",
    delivery.c.tenant_id,
    delivery.c.fetch_at,
    delivery.c.id,
    postgresql_where=delivery.c.status == "fetching",
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
Index(
    "ix_delivery_unforgotten",
    delivery.c.tenant_id,
    delivery.c.status,
    delivery.c.received_at,
    delivery.c.id,
    postgresql_where=delivery.c.forgotten_at.is_(None),
)

impersonal(delivery, "bodies are erased by `erasure.py`, and all of them forgotten in time")
