"""What every task begins with, and what timelines tell of tasks."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row

from services.customer.timeline.entries import Entry
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id


def new_task(uow: UnitOfWork, *, due_in: timedelta | None = None) -> Mapping[str, Any]:
    """The columns that every new task begins with; it is reminded of as it falls due."""
    now = uow.clock.now()
    due_at = None if due_in is None else now + due_in
    return {
        "id": new_id(),
        "status": "open",
        "priority": 1,
        "due_at": due_at,
        "reminder_at": due_at,
        "reminded_at": None,
        "result_code": None,
        "done_at": None,
        "created_at": now,
        "updated_at": now,
        "version": 1,
    }


def task_entries(rows: Sequence[Row[*tuple[Any, ...]]], kind: str) -> list[Entry]:
    """What the timelines of the tasks' customers tell."""
    return [
        Entry(
            customer_id=row.customer_id,
            type=kind,
            occurred_at=row.updated_at,
            data={
                "task_id": str(row.id),
                "title": row.title,
                "kind": row.kind,
                "assignee_role": row.assignee_role,
                "result_code": row.result_code,
                "ticket_id": str(row.ticket_id) if row.ticket_id else None,
            },
        )
        for row in rows
        if row.customer_id is not None
    ]
