"""Tasks as clients write and read them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from shared.bodies import Body
from shared.moments import Instant
from shared.text import NormalisedStr, TextRule
from shared.web.patches import NeverNull

TaskKind = Literal["follow_up", "call", "message", "other"]
TaskStatus = Literal["open", "done", "cancelled"]
AssigneeRole = Literal["owner", "admin", "manager", "agent"]
TaskNote = Annotated[str, TextRule(max_length=5000, lines=True)]


class TaskCreate(Body):
    """Something to be done for a customer, by somebody or by anybody of a role."""

    customer_id: UUID | None = None
    kind: TaskKind = "other"
    title: NormalisedStr = Field(examples=["Gọi lại cho khách"])
    note: TaskNote | None = None
    assignee_id: UUID | None = None
    assignee_role: AssigneeRole | None = None
    due_at: Instant | None = None
    ticket_id: UUID | None = None


class TaskPatch(Body):
    """A change: what is absent stays as it is, `null` clears."""

    title: Annotated[NormalisedStr | None, NeverNull()] = None
    note: TaskNote | None = None
    status: Annotated[TaskStatus | None, NeverNull()] = None
    assignee_id: UUID | None = None
    assignee_role: AssigneeRole | None = None
    due_at: Instant | None = None


class TaskRead(BaseModel):
    """Something to be done for a customer."""

    id: UUID
    object: Literal["task"] = "task"
    customer_id: UUID | None
    kind: TaskKind
    title: str
    note: str | None
    status: TaskStatus
    assignee_id: UUID | None
    assignee_role: AssigneeRole | None
    created_by: UUID | None = Field(description="The member of staff who made it")
    due_at: datetime | None
    ticket_id: UUID | None
    done_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int
