"""The table of what staff have to do for customers."""

from datetime import datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    literal_column,
    text,
)

from services.customer.models import metadata
from shared.db.tables import Instant, instant, tenant_column
from shared.privacy.registry import ERASED, personal

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
    # From 0, whenever there is time, to 3, before everything else.
    Column("priority", SmallInteger, nullable=False, server_default=text("1")),
    instant("due_at", nullable=True),
    # When to remind of it, and when that was done.
    instant("reminder_at", nullable=True),
    instant("reminded_at", nullable=True),
    # What came of it, in a word of the shop's.
    Column("result_code", Text),
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
    CheckConstraint("priority BETWEEN 0 AND 3", name="priority"),
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
# What is due at no time comes last.
DUE: Final[ColumnElement[datetime]] = func.coalesce(
    task.c.due_at, literal_column("timestamptz '9999-12-31 00:00:00+00'"), type_=Instant
)
# The calls that somebody has to make are few enough to be put in order when they are asked for.
Index(
    "ix_task_calls",
    task.c.tenant_id,
    task.c.assignee_id,
    postgresql_where=text("status = 'open' AND kind = 'call'"),
)
Index(
    "ix_task_reminder",
    task.c.tenant_id,
    task.c.reminder_at,
    postgresql_where=text("status = 'open' AND reminder_at IS NOT NULL AND reminded_at IS NULL"),
)
# What was done, and what should have been, on which day.
Index(
    "ix_task_done",
    task.c.tenant_id,
    task.c.done_at,
    postgresql_where=text("status = 'done'"),
)
Index(
    "ix_task_due",
    task.c.tenant_id,
    task.c.due_at,
    postgresql_where=text("status = 'open'"),
)

personal(task, erase={"title": ERASED, "note": None})
