"""Queues that tickets wait in, and the agents who take from them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    Uuid,
    text,
)

from services.support_ticket.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

queue = Table(
    "queue",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("team_id", Uuid),
    Column("version", BigInteger, nullable=False, server_default=text("1")),
    instant("created_at"),
)
Index(
    "uq_queue_default",
    queue.c.tenant_id,
    unique=True,
    postgresql_where=queue.c.is_default.is_(True),
)

queue_member = Table(
    "queue_member",
    metadata,
    tenant_column(),
    Column("queue_id", Uuid, primary_key=True),
    Column("agent_id", Uuid, primary_key=True),
    instant("joined_at"),
    ForeignKeyConstraint(
        ["tenant_id", "queue_id"],
        ["support_ticket.queue.tenant_id", "support_ticket.queue.id"],
        name="fk_queue_member_queue",
    ),
)

impersonal(queue, "the shop's own")
impersonal(queue_member, "staff")
