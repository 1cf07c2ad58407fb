"""Conversations (threads on a channel) and the messages in them.

A conversation is not a ticket: one conversation may raise several tickets, one after the other,
and a ticket may gather messages of several conversations. So each message says both.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
)

from services.support_ticket.models import metadata
from shared.db.tables import instant, tenant_column

conversation = Table(
    "conversation",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("thread_key", Text),
    instant("created_at"),
)
# The channel's own name of the thread. Threads without one are found through their ticket.
Index(
    "uq_conversation_thread_key",
    conversation.c.tenant_id,
    conversation.c.channel,
    conversation.c.thread_key,
    unique=True,
    postgresql_where=conversation.c.thread_key.is_not(None),
)

message = Table(
    "message",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("conversation_id", Uuid, nullable=False),
    Column("ticket_id", Uuid, nullable=False),
    Column("episode", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("author_kind", Text, nullable=False),
    Column("author_id", Text),
    Column("author_name", Text),
    Column("channel", Text, nullable=False),
    Column("external_id", Text),
    Column("body", Text, nullable=False),
    instant("created_at"),
    CheckConstraint("kind IN ('customer', 'reply', 'note')", name="kind"),
    CheckConstraint("author_kind IN ('customer', 'agent', 'api_key')", name="author_kind"),
    ForeignKeyConstraint(
        ["tenant_id", "conversation_id"],
        ["support_ticket.conversation.tenant_id", "support_ticket.conversation.id"],
        name="fk_message_conversation",
    ),
    ForeignKeyConstraint(
        ["tenant_id", "ticket_id"],
        ["support_ticket.ticket.tenant_id", "support_ticket.ticket.id"],
        name="fk_message_ticket",
    ),
)
Index(
    "ix_message_ticket",
    message.c.tenant_id,
    message.c.ticket_id,
    message.c.created_at,
    message.c.id,
)
# A channel may deliver a message twice; it is kept once.
Index(
    "uq_message_external_id",
    message.c.tenant_id,
    message.c.channel,
    message.c.external_id,
    unique=True,
    postgresql_where=message.c.external_id.is_not(None),
)
# For the counts; it does not slow the customers' own words down.
Index(
    "ix_message_kind",
    message.c.tenant_id,
    message.c.kind,
    postgresql_where=message.c.kind != "customer",
)
