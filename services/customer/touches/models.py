"""How somebody came to the shop's pages: one row per visit that we were told of."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import personal

touch = Table(
    "touch",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    # Where they came from, in one word; see `origins.py`.
    Column("source", Text, nullable=False),
    Column("medium", Text),
    Column("campaign", Text),
    Column("term", Text),
    Column("content", Text),
    Column("click_ids", JSONB, nullable=False),
    Column("referrer", Text),
    Column("landing_page", Text),
    # The form that was sent, when this is how we know of the visit.
    Column("form_id", Uuid),
    instant("occurred_at"),
    instant("created_at"),
    ForeignKeyConstraint(
        ["tenant_id", "customer_id"], ["customer.customer.tenant_id", "customer.customer.id"]
    ),
)
Index("ix_touch_customer", touch.c.tenant_id, touch.c.customer_id, touch.c.occurred_at, touch.c.id)
# The oldest of those that still tell where somebody was.
Index(
    "ix_touch_traces",
    touch.c.tenant_id,
    touch.c.occurred_at,
    touch.c.id,
    postgresql_where=text(
        "referrer IS NOT NULL OR landing_page IS NOT NULL OR click_ids <> '{}'::jsonb"
    ),
)

personal(
    touch,
    erase={"click_ids": {}, "referrer": None, "landing_page": None},
    kept={"content": "which advertisement it was"},
)
