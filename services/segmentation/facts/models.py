"""The facts that rules look at, kept up to date from events.

Texts that rules search in have a search key beside them (`search_name`, `search_keys`,
`product_search`), written by `facts.search_keys` so that SQL and Python agree on every letter.
The secondary indexes serve two questions only: "the facts of these customers" and "whose fact
lies between these two instants", which is how relative dates flip without a scan.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.segmentation.models import metadata
from shared.db.aliases import index_of_members
from shared.db.tables import Instant, instant, tenant_column
from shared.privacy.registry import personal


def _count(name: str) -> Column[Any]:
    return Column(name, Integer, nullable=False, server_default=text("0"))


def _object(name: str) -> Column[Any]:
    return Column(name, JSONB, nullable=False, server_default=text("'{}'::jsonb"))


def _texts(name: str) -> Column[Any]:
    return Column(name, ARRAY(Text), nullable=False, server_default=text("'{}'::text[]"))


profile = Table(
    "profile",
    metadata,
    tenant_column(),
    Column("customer_id", Uuid, primary_key=True),
    # 0 while only facts of other services have arrived and the customer's own state has not.
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    # False once erased or merged into another customer: kept for history, in no segment.
    Column("active", Boolean, nullable=False, server_default=text("true")),
    # The record that stands for this one; null for one that stands for itself.
    Column("merged_into", Uuid),
    # All records that this one stands for, itself too; null for one that is alone.
    Column("member_ids", ARRAY(Uuid)),
    Column("code", Text),
    Column("full_name", Text),
    Column("search_name", Text),
    Column("email", Text),
    Column("phone", Text),
    Column("locale", Text),
    Column("gender", Text),
    Column("birth_date", Date),
    Column("city", Text),
    Column("province", Text),
    Column("country", Text),
    Column("stage", Text),
    Column("source", Text),
    # What the profile says of them; who is told of without it is an ordinary customer.
    Column("kind", Text, nullable=False, server_default=text("'person'")),
    Column("relation", Text, nullable=False, server_default=text("'customer'")),
    Column("occupation", Text),
    Column("position", Text),
    _texts("preferences"),
    Column("preferred_channel", Text),
    Column("rating", SmallInteger),
    Column("tax_code", Text),
    Column("income_currency", Text),
    Column("income_at_least_minor", BigInteger),
    Column("income_below_minor", BigInteger),
    # Codes of the province of the primary address, as it was until June 2025 and as it is.
    Column("vn63_province", Text),
    Column("vn34_province", Text),
    _texts("tags"),
    _object("attributes"),
    _object("consent"),
    # When what was agreed to stops counting, by the same keys, as ISO 8601.
    _object("consent_ends"),
    _object("search_keys"),
    # When the customer came into being, as the customer service tells it.
    instant("created_at", nullable=True),
    _count("orders_count"),
    _count("paid_orders_count"),
    instant("first_order_at", nullable=True),
    instant("last_order_at", nullable=True),
    Column("total_spent_minor", BigInteger, nullable=False, server_default=text("0")),
    Column("currency", Text),
    _count("tickets_count"),
    _count("open_tickets_count"),
    _count("open_complaints_count"),
    Column("last_csat", SmallInteger),
    instant("last_csat_at", nullable=True),
    instant("last_ticket_at", nullable=True),
    _count("messages_sent_count"),
    instant("last_message_at", nullable=True),
    instant("updated_at"),
)

order_fact = Table(
    "order_fact",
    metadata,
    tenant_column(),
    Column("order_id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    instant("placed_at"),
    Column("status", Text, nullable=False),
    Column("financial_status", Text),
    Column("fulfillment_status", Text),
    Column("total_minor", BigInteger, nullable=False),
    Column("refunded_minor", BigInteger, nullable=False, server_default=text("0")),
    Column("currency", Text, nullable=False),
    Column("channel", Text),
    _count("lines_count"),
    _texts("skus"),
    _texts("product_titles"),
    Column("product_search", Text, nullable=False, server_default=text("''")),
    instant("updated_at"),
)

ticket_fact = Table(
    "ticket_fact",
    metadata,
    tenant_column(),
    Column("ticket_id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("status_category", Text, nullable=False),
    Column("priority", Text),
    Column("urgency", Text),
    Column("channel", Text),
    instant("opened_at"),
    instant("resolved_at", nullable=True),
    Column("csat", SmallInteger),
    instant("csat_at", nullable=True),
    instant("updated_at"),
)

message_fact = Table(
    "message_fact",
    metadata,
    tenant_column(),
    Column("message_id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("channel", Text, nullable=False),
    Column("purpose", Text),
    Column("template", Text),
    Column("status", Text, nullable=False),
    instant("sent_at", nullable=True),
    instant("delivered_at", nullable=True),
    instant("opened_at", nullable=True),
    instant("clicked_at", nullable=True),
    instant("updated_at"),
)

# When time alone makes a consent stop counting; what a later answer has made void may stand here.
consent_end = Table(
    "consent_end",
    metadata,
    tenant_column(),
    Column("customer_id", Uuid, primary_key=True),
    Column("ends_at", Instant, primary_key=True),
)
Index(None, consent_end.c.tenant_id, consent_end.c.ends_at)

_HAPPENED_AT = {order_fact: "placed_at", ticket_fact: "opened_at", message_fact: "sent_at"}
for _table, _at in _HAPPENED_AT.items():
    Index(None, _table.c.tenant_id, _table.c.customer_id, _table.c[_at])
    Index(None, _table.c.tenant_id, _table.c[_at])

index_of_members(profile)
# Who never bought, asked or was written to costs these nothing.
for _at in (
    "created_at",
    "first_order_at",
    "last_order_at",
    "last_csat_at",
    "last_ticket_at",
    "last_message_at",
):
    Index(None, profile.c.tenant_id, profile.c[_at], postgresql_where=profile.c[_at].is_not(None))

# The row stays with its version: states that are older than it do not count.
personal(
    profile,
    erase={
        **dict.fromkeys(("full_name", "search_name", "email", "phone", "locale", "gender")),
        **dict.fromkeys(("birth_date", "city", "province", "country")),
        **dict.fromkeys(("occupation", "position", "preferred_channel", "rating", "tax_code")),
        **dict.fromkeys(("income_currency", "income_at_least_minor", "income_below_minor")),
        **dict.fromkeys(("vn63_province", "vn34_province")),
        "preferences": [],
        "tags": [],
        "attributes": {},
        "consent": {},
        "consent_ends": {},
        "search_keys": {},
    },
    kept={"code": "stands for nobody once there is no name beside it"},
    hidden=("search_name", "search_keys"),
)
personal(consent_end, erase="row")
personal(order_fact, erase={}, hidden=("product_search",))
personal(ticket_fact, erase={})
personal(message_fact, erase={})
