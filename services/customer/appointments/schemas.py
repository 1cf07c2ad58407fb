"""Appointments as clients write and read them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from shared.bodies import Body
from shared.moments import Instant
from shared.pii import pii
from shared.text import NormalisedStr, TextRule
from shared.web.patches import NeverNull

AppointmentStatus = Literal["planned", "kept", "missed", "cancelled"]
AppointmentNote = Annotated[str, TextRule(max_length=5000, lines=True)]
RemindMinutes = Annotated[
    int, Field(ge=0, le=43_200, description="How long before it begins; null: not at all")
]
AppointmentResult = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$"),
    Field(
        description="What came of it: one of the shop's outcomes, where it has defined some",
        examples=["bought"],
    ),
]
Overbook = Annotated[
    bool, Field(description="Book it though the member of staff has another one at that time")
]


class AppointmentCreate(Body):
    """When a customer and a member of staff are to meet."""

    customer_id: UUID
    staff_id: UUID | None = Field(
        default=None, description="Whom they meet; the caller, if that is a member of staff"
    )
    title: NormalisedStr = Field(examples=["Thử áo dài"])
    place: NormalisedStr | None = Field(default=None, examples=["12 Lê Lợi, Quận 1"])
    note: AppointmentNote | None = None
    starts_at: Instant
    ends_at: Instant
    remind_minutes: RemindMinutes | None = 60
    overbook: Overbook = False


class AppointmentPatch(Body):
    """A change: what is absent stays as it is, `null` clears."""

    staff_id: UUID | None = None
    title: Annotated[NormalisedStr | None, NeverNull()] = None
    place: NormalisedStr | None = None
    note: AppointmentNote | None = None
    starts_at: Annotated[Instant | None, NeverNull()] = None
    ends_at: Annotated[Instant | None, NeverNull()] = None
    status: Annotated[AppointmentStatus | None, NeverNull()] = None
    result_code: AppointmentResult | None = None
    remind_minutes: RemindMinutes | None = None
    overbook: Overbook = False


class AppointmentRead(BaseModel):
    """When a customer and a member of staff meet."""

    id: UUID
    object: Literal["appointment"] = "appointment"
    customer_id: UUID
    staff_id: UUID | None
    title: Annotated[str, pii("words")]
    place: Annotated[str | None, pii("address")]
    note: Annotated[str | None, pii("words")]
    starts_at: datetime
    ends_at: datetime
    status: AppointmentStatus
    result_code: str | None
    allowed_transitions: list[AppointmentStatus]
    overbooked: bool
    remind_minutes: int | None
    reminder_at: datetime | None
    reminded_at: datetime | None = Field(
        description="When the event `appointment.due` was told of it"
    )
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime
    version: int


class StaffCalendarCreated(BaseModel):
    """The secret address of a calendar, told this once."""

    staff_id: UUID
    object: Literal["calendar"] = "calendar"
    url: str = Field(description="For a calendar program to subscribe to (iCalendar, RFC 5545)")
    created_at: datetime


class StaffCalendarRead(BaseModel):
    """That somebody has a calendar; its address is not known any more."""

    staff_id: UUID
    object: Literal["calendar"] = "calendar"
    created_at: datetime
