"""What the customer service tells of what staff owe their customers."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.contracts.event import Contract, Event


class TaskState(Contract):
    """Something to be done for a customer, by somebody or by anybody of a role."""

    task_id: UUID
    version: int
    customer_id: UUID | None = None
    kind: Literal["follow_up", "call", "message", "other"]
    title: str
    priority: int
    assignee_id: UUID | None = None
    assignee_role: str | None = None
    due_at: datetime | None = None
    ticket_id: UUID | None = None


class TaskDue(Event):
    """The time has come to remind of an open task; told once for each time set. Key: the task."""

    type: ClassVar[str] = "customer.task_due"
    task: TaskState


class AppointmentState(Contract):
    """When a customer and a member of staff meet.

    `customer_channels` are those by which the customer has agreed to hear of care: whoever tells
    the customer of the appointment uses one of them, or none.
    """

    appointment_id: UUID
    version: int
    customer_id: UUID
    staff_id: UUID | None = None
    title: str
    place: str | None = None
    starts_at: datetime
    ends_at: datetime
    customer_channels: tuple[Literal["email", "sms", "zalo", "call"], ...] = ()


class AppointmentDue(Event):
    """A planned appointment comes near; told once for each time set. Key: the appointment."""

    type: ClassVar[str] = "customer.appointment_due"
    appointment: AppointmentState
