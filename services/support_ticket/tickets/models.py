"""Tickets, their episodes, and the shop's own rules of priority.

`status` holds the fixed categories that drive clocks and guards; a shop's own status names will
map to them. An episode is one round of a ticket, from opening or reopening to its end: its figures
never change afterwards. The ticket's own figures are those of its current episode.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.support_ticket.conversations.models import conversation, message
from services.support_ticket.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import ERASED, addressed_to, belonging_to, impersonal, personal

ticket = Table(
    "ticket",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("code", Text, nullable=False),
    Column("conversation_id", Uuid, nullable=False),
    Column("customer_id", Uuid),
    Column("customer_link", Text),
    Column("contact_name", Text),
    Column("contact_email", Text),
    Column("contact_phone", Text),
    Column("subject", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("urgency", Text, nullable=False),
    Column("value_tier", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("reply_channel", Text, nullable=False),
    Column("queue_id", Uuid, nullable=False),
    Column("assignee_id", Uuid),
    # The team it is for: the queue's when it opened, until somebody says otherwise.
    Column("team_id", Uuid),
    # The member of staff who opened it; unknown when it came in by itself.
    Column("created_by", Uuid),
    Column("plan", Text),
    Column("episode", Integer, nullable=False),
    Column("resolution", Text),
    Column("csat", SmallInteger),
    instant("first_response_due_at", nullable=True),
    instant("resolution_due_at", nullable=True),
    instant("first_responded_at", nullable=True),
    instant("resolved_at", nullable=True),
    instant("closed_at", nullable=True),
    instant("last_message_at"),
    instant("created_at"),
    instant("updated_at"),
    CheckConstraint(
        "type IN ('question', 'info', 'usage_guide', 'return', 'refund', 'complaint', 'technical')",
        name="type",
    ),
    CheckConstraint("urgency IN ('low', 'normal', 'high', 'critical')", name="urgency"),
    CheckConstraint("priority IN ('low', 'normal', 'high', 'urgent')", name="priority"),
    CheckConstraint(
        "status IN ('new', 'open', 'pending_customer', 'on_hold', 'resolved', 'closed')",
        name="status",
    ),
    CheckConstraint("customer_link IN ('given', 'matched')", name="customer_link"),
    CheckConstraint("(customer_id IS NULL) = (customer_link IS NULL)", name="linked"),
    CheckConstraint("csat BETWEEN 1 AND 5", name="csat"),
    ForeignKeyConstraint(
        ["tenant_id", "conversation_id"],
        ["support_ticket.conversation.tenant_id", "support_ticket.conversation.id"],
        name="fk_ticket_conversation",
    ),
)
Index("uq_ticket_code", ticket.c.tenant_id, ticket.c.code, unique=True)
# A list is read from its newest end; each of the usual filters keeps that order.
Index("ix_ticket_newest", ticket.c.tenant_id, ticket.c.created_at, ticket.c.id)
Index("ix_ticket_status", ticket.c.tenant_id, ticket.c.status, ticket.c.created_at, ticket.c.id)
Index(
    "ix_ticket_assignee", ticket.c.tenant_id, ticket.c.assignee_id, ticket.c.created_at, ticket.c.id
)
Index(
    "ix_ticket_customer", ticket.c.tenant_id, ticket.c.customer_id, ticket.c.created_at, ticket.c.id
)
# Whose tickets somebody sees who does not see all; see `sight.py`.
Index("ix_ticket_queue", ticket.c.tenant_id, ticket.c.queue_id, ticket.c.created_at, ticket.c.id)
Index(
    "ix_ticket_waiting",
    ticket.c.tenant_id,
    ticket.c.queue_id,
    ticket.c.created_at,
    ticket.c.id,
    postgresql_where=ticket.c.assignee_id.is_(None) & ticket.c.team_id.is_(None),
)
Index(
    "ix_ticket_team",
    ticket.c.tenant_id,
    ticket.c.team_id,
    ticket.c.created_at,
    ticket.c.id,
    postgresql_where=ticket.c.team_id.is_not(None),
)
Index(
    "ix_ticket_created_by",
    ticket.c.tenant_id,
    ticket.c.created_by,
    ticket.c.created_at,
    ticket.c.id,
    postgresql_where=ticket.c.created_by.is_not(None),
)
Index("ix_ticket_conversation", ticket.c.tenant_id, ticket.c.conversation_id)
# Tickets of people nobody knows yet, to be linked when somebody does.
Index(
    "ix_ticket_unlinked_email",
    ticket.c.tenant_id,
    ticket.c.contact_email,
    postgresql_where=ticket.c.customer_id.is_(None) & ticket.c.contact_email.is_not(None),
)
Index(
    "ix_ticket_unlinked_phone",
    ticket.c.tenant_id,
    ticket.c.contact_phone,
    postgresql_where=ticket.c.customer_id.is_(None) & ticket.c.contact_phone.is_not(None),
)

ticket_episode = Table(
    "ticket_episode",
    metadata,
    tenant_column(),
    Column("ticket_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("policy_id", Uuid, nullable=False),
    Column("policy_version", BigInteger, nullable=False),
    Column("calendar_id", Uuid, nullable=False),
    Column("calendar_version", BigInteger, nullable=False),
    instant("opened_at"),
    Column("assignee_id", Uuid),
    instant("first_responded_at", nullable=True),
    instant("resolved_at", nullable=True),
    instant("closed_at", nullable=True),
    Column("resolution", Text),
    Column("csat", SmallInteger),
    CheckConstraint("reason IN ('created', 'reopened')", name="reason"),
    ForeignKeyConstraint(
        ["tenant_id", "ticket_id"],
        ["support_ticket.ticket.tenant_id", "support_ticket.ticket.id"],
        name="fk_ticket_episode_ticket",
    ),
)
Index(
    "ix_ticket_episode_reopened",
    ticket_episode.c.tenant_id,
    postgresql_where=ticket_episode.c.reason == "reopened",
)

# A shop without a row here goes by `priority.DEFAULT_POLICY`.
priority_policy = Table(
    "priority_policy",
    metadata,
    tenant_column(),
    Column("version", BigInteger, nullable=False),
    Column("policy", JSONB, nullable=False),
    instant("updated_at"),
)

personal(
    ticket,
    of=addressed_to(email="contact_email", phone="contact_phone"),
    erase={
        **dict.fromkeys(("contact_name", "contact_email", "contact_phone", "plan")),
        "subject": ERASED,
    },
)
personal(ticket_episode, of=belonging_to(ticket, "ticket_id"), erase={})
impersonal(priority_policy, "the shop's own rules")

# What was written belongs to its ticket, and a conversation to the tickets that it raised.
personal(
    conversation,
    of=belonging_to(ticket, "id", parent_column="conversation_id"),
    erase={"thread_key": None},
)
personal(
    message,
    of=belonging_to(ticket, "ticket_id"),
    erase={"author_name": None, "body": ERASED},
    kept={"external_id": "so that the same message is not taken in again"},
)
