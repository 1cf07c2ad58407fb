"""The table of what staff have to do for customers."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    Uuid,
)

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column

task = Table(
    "task",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("note", Text),
    Column("status", Text, nullable=False),
    Column("assignee_id", Uuid),
    Column("assignee_role", Text),
    # The member of staff who made it; unknown when something else did.
    Column("created_by", Uuid),
    instant("due_at", nullable=True),
    Column("ticket_id", Uuid),
    # What gave rise to the task; one task for one cause.
    Column("cause_id", Uuid),
    instant("done_at", nullable=True),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("kind IN ('follow_up', 'call', 'message', 'other')", name="kind"),
    CheckConstraint("status IN ('open', 'done', 'cancelled')", name="status"),
    CheckConstraint(
        "assignee_role IN ('owner', 'admin', 'manager', 'agent')", name="assignee_role"
    ),
    ForeignKeyConstraint(
        ["tenant_id", "customer_id"], ["customer.customer.tenant_id", "customer.customer.id"]
    ),
)
Index("ix_task_newest", task.c.tenant_id, task.c.status, task.c.created_at, task.c.id)
Index("ix_task_customer", task.c.tenant_id, task.c.customer_id, task.c.created_at, task.c.id)
# Whose tasks somebody sees who does not see all; see `sight.py`.
Index("ix_task_assignee", task.c.tenant_id, task.c.assignee_id, task.c.created_at, task.c.id)
Index(
    "ix_task_created_by",
    task.c.tenant_id,
    task.c.created_by,
    task.c.created_at,
    task.c.id,
    postgresql_where=task.c.created_by.is_not(None),
)
Index(
    "uq_task_cause",
    task.c.tenant_id,
    task.c.cause_id,
    unique=True,
    postgresql_where=task.c.cause_id.is_not(None),
)
