"""The ledger: one row per message to one recipient, from its plan to its outcome.

The unique key makes a second plan of the same message impossible, whatever repeats it.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    case,
    cast,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.messaging.models import metadata
from shared.db.tables import SEALED, instant, tenant_column
from shared.privacy.registry import addressed_to, personal

message = Table(
    "message",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("origin", Text, nullable=False),
    Column("origin_id", Uuid, nullable=False),
    Column("recipient_key", Text, nullable=False),
    Column("occurrence", Text, nullable=False),
    # Until it is chosen, the first one of the shop; `address` is one of this channel.
    Column("channel", Text, nullable=False),
    Column("channel_chosen_by", Text),
    Column("unmet_preference", Text),
    Column("unmet_preference_reason", Text),
    Column("message_class", Text, nullable=False),
    Column("lane", SmallInteger, nullable=False),
    Column("template_key", Text, nullable=False),
    Column("variables", JSONB, nullable=False, info=SEALED),
    Column("customer_id", Uuid),
    # The state of the customer that planning it was decided on, which may not be known here yet.
    Column("customer_version", BigInteger),
    Column("address", Text),
    Column("address_key", Text),
    Column("recipient_name", Text),
    Column("locale", Text),
    Column("reply_to", Text),
    Column("thread_id", Uuid),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("detail", Text),
    Column("hold", Text),
    Column("subject", Text),
    Column("decision", JSONB(none_as_null=True)),
    Column("attempts", Integer, nullable=False),
    Column("postponements", Integer, nullable=False),
    Column("lease_owner", Uuid),
    instant("lease_until", nullable=True),
    instant("attempted_at", nullable=True),
    instant("due_at"),
    instant("planned_at"),
    instant("finished_at", nullable=True),
    # The W3C trace context in which it was planned, for the sending to follow.
    Column("trace", Text),
    instant("created_at"),
    instant("updated_at"),
    UniqueConstraint("tenant_id", "origin", "origin_id", "recipient_key", "occurrence"),
    CheckConstraint(
        "origin IN ('automation', 'ticket_reply', 'survey', 'api', 'staff', 'lead_form')",
        name="origin",
    ),
    CheckConstraint("channel IN ('email')", name="channel"),
    CheckConstraint(
        "channel_chosen_by IN ('request', 'preference', 'fallback')", name="channel_chosen_by"
    ),
    CheckConstraint(
        "message_class IN ('transactional', 'care', 'advertising')", name="message_class"
    ),
    CheckConstraint(
        "status IN ('planned', 'sending', 'sent', 'suppressed', 'failed', 'unknown', 'cancelled')",
        name="status",
    ),
    CheckConstraint("hold IN ('recipient', 'paused')", name="hold"),
    CheckConstraint("(status = 'sending') <= (lease_until IS NOT NULL)", name="sending_is_leased"),
)

_PLANNED = text("status = 'planned'")

Index(
    "ix_message_planned",
    message.c.tenant_id,
    message.c.lane,
    message.c.due_at,
    message.c.id,
    postgresql_where=_PLANNED,
)
Index(
    "ix_message_planned_recipient",
    message.c.tenant_id,
    message.c.customer_id,
    postgresql_where=_PLANNED,
)
Index(
    "ix_message_planned_origin",
    message.c.tenant_id,
    message.c.origin_id,
    postgresql_where=_PLANNED,
)
Index(
    "ix_message_leased",
    message.c.tenant_id,
    message.c.lease_until,
    postgresql_where=text("status = 'sending'"),
)
# What counts against a frequency cap: sent, on its way, or perhaps sent.
Index(
    "ix_message_capped",
    message.c.tenant_id,
    message.c.address_key,
    message.c.attempted_at,
    postgresql_where=text(
        "status IN ('sending', 'sent', 'unknown') AND message_class IN ('care', 'advertising')"
    ),
)
Index("ix_message_tenant_id_planned_at_id", message.c.tenant_id, message.c.planned_at, message.c.id)
Index(
    "ix_message_tenant_id_customer_id_planned_at_id",
    message.c.tenant_id,
    message.c.customer_id,
    message.c.planned_at,
    message.c.id,
)
Index(
    "ix_message_tenant_id_status_planned_at_id",
    message.c.tenant_id,
    message.c.status,
    message.c.planned_at,
    message.c.id,
)
Index("ix_message_tenant_id_origin_status", message.c.tenant_id, message.c.origin, message.c.status)

Index(
    "ix_message_unknown_address",
    message.c.tenant_id,
    message.c.address_key,
    postgresql_where=message.c.customer_id.is_(None) & message.c.address_key.is_not(None),
)

# Who is in the middle of being written to is erased once more when that has ended.
personal(
    message,
    of=addressed_to(email="address_key"),
    erase={
        **dict.fromkeys(("address", "address_key", "recipient_name", "reply_to", "subject")),
        **dict.fromkeys(("detail", "trace", "unmet_preference", "unmet_preference_reason")),
        "variables": {},
        "recipient_key": case(
            (message.c.customer_id.is_(None), cast(message.c.id, Text)),
            else_=message.c.recipient_key,
        ),
        "status": case((message.c.status == "planned", "cancelled"), else_=message.c.status),
    },
    kept={"decision": "why it was sent or not, by rules and dates"},
    hidden=("trace", "lease_owner"),
)
