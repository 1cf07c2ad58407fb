"""Tasks as clients write and read them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from shared.bodies import Body
from shared.moments import Instant
from shared.pii import pii
from shared.text import NormalisedStr, TextRule
from shared.web.patches import NeverNull

TaskKind = Literal["follow_up", "call", "message", "other"]
TaskStatus = Literal["open", "done", "cancelled"]
AssigneeRole = Literal["owner", "admin", "manager", "agent"]
Priority = Annotated[int, Field(ge=0, le=3, description="3 before everything else")]
ResultCode = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$"),
    Field(
        description="What came of it: one of the shop's outcomes, where it has defined some",
        examples=["no_answer"],
    ),
]
TaskNote = Annotated[str, TextRule(max_length=5000, lines=True)]


class TaskCreate(Body):
    """Something to be done for a customer, by somebody or by anybody of a role."""

    customer_id: UUID | None = None
    kind: TaskKind = "other"
    title: NormalisedStr = Field(examples=["Gọi lại cho khách"])
    note: TaskNote | None = None
    assignee_id: UUID | None = None
    assignee_role: AssigneeRole | None = None
    priority: Priority = 1
    due_at: Instant | None = None
    reminder_at: Instant | None = Field(
        default=None, description="When to remind of it: as it falls due, unless it is said"
    )
    ticket_id: UUID | None = None


class TaskPatch(Body):
    """A change: what is absent stays as it is, `null` clears."""

    title: Annotated[NormalisedStr | None, NeverNull()] = None
    note: TaskNote | None = None
    status: Annotated[TaskStatus | None, NeverNull()] = None
    assignee_id: UUID | None = None
    assignee_role: AssigneeRole | None = None
    priority: Annotated[Priority | None, NeverNull()] = None
    due_at: Instant | None = None
    reminder_at: Instant | None = None
    result_code: ResultCode | None = None


class TaskRead(BaseModel):
    """Something to be done for a customer."""

    id: UUID
    object: Literal["task"] = "task"
    customer_id: UUID | None
    kind: TaskKind
    title: Annotated[str, pii("words")]
    note: Annotated[str | None, pii("words")]
    status: TaskStatus
    assignee_id: UUID | None
    assignee_role: AssigneeRole | None
    created_by: UUID | None = Field(description="The member of staff who made it")
    priority: int
    due_at: datetime | None
    reminder_at: datetime | None
    reminded_at: datetime | None = Field(description="When the event `task.due` was told of it")
    result_code: str | None
    ticket_id: UUID | None
    done_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int


class CallRead(TaskRead):
    """A call to be made, with whom to call."""

    customer_code: str | None = Field(examples=["KH000123"])
    customer_name: Annotated[str | None, pii("name")]
    customer_phone: Annotated[str | None, pii("phone")]
    may_call: bool = Field(
        description="There is a number, the customer has not said stop to calls of care, and the "
        "use of their data is not restricted"
    )
