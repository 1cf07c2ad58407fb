"""What staff owe their customers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from gateway.events.projection import From, PublicObject
from gateway.events.public.base import Channel, EventBase
from shared.contracts import care
from shared.contracts.event import Event
from shared.pii import pii


class EventTask(PublicObject):
    """Something to be done for a customer, by somebody or by anybody of a role."""

    id: Annotated[UUID, From("task_id")]
    object: Literal["task"] = "task"
    version: int
    customer_id: UUID | None = None
    kind: Literal["follow_up", "call", "message", "other"]
    title: Annotated[str, pii("words")]
    priority: int = Field(description="From 0 to 3, 3 before everything else")
    assignee_id: UUID | None = None
    assignee_role: str | None = None
    due_at: datetime | None = None
    ticket_id: UUID | None = None


class EventAppointment(PublicObject):
    """When a customer and a member of staff meet."""

    id: Annotated[UUID, From("appointment_id")]
    object: Literal["appointment"] = "appointment"
    version: int
    customer_id: UUID
    staff_id: UUID | None = None
    title: Annotated[str, pii("words")]
    place: Annotated[str | None, pii("address")] = None
    starts_at: datetime
    ends_at: datetime
    customer_channels: list[Channel] = Field(
        default_factory=list,
        description="By which the customer has agreed to hear of care; none: do not remind them",
    )


class TaskData(PublicObject):
    """A task."""

    task: EventTask


class AppointmentData(PublicObject):
    """An appointment."""

    appointment: EventAppointment


class TaskDue(EventBase):
    """The time that was set to remind of an open task has come."""

    type: Literal["task.due"]
    data: TaskData


class AppointmentDue(EventBase):
    """A planned appointment comes near, as long before as it says."""

    type: Literal["appointment.due"]
    data: AppointmentData


CareEvent = TaskDue | AppointmentDue

EVENTS: Final[Mapping[type[Event], type[EventBase]]] = {
    care.TaskDue: TaskDue,
    care.AppointmentDue: AppointmentDue,
}
