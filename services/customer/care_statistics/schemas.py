"""Statistics of care as clients read them."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class CareFigures(BaseModel):
    """What one member of staff did for customers on one day, on the shop's clocks."""

    staff_id: UUID
    day: date
    contacts: int = Field(description="Interactions that began on the day")
    contact_seconds: int = Field(description="How long those took whose duration is known")
    tasks_done: int
    tasks_done_late: int = Field(description="Of these, after they were due")
    tasks_overdue: int = Field(description="Tasks that were due on the day and are still open")
    appointments_kept: int
    appointments_missed: int
    customers_given: int = Field(description="Customers given to them by rules and reassignments")
    customers_contacted: int = Field(description="Of these, whom they were in touch with since")
    response_seconds: int | None = Field(
        description="How long that took on average: from being given to the first interaction"
    )


class CareStatistics(BaseModel):
    """What staff did for customers, per member and day; days with nothing are left out."""

    model_config = ConfigDict(populate_by_name=True)

    object: Literal["care_statistics"] = "care_statistics"
    from_: date = Field(alias="from")
    to: date
    timezone: str
    data: list[CareFigures]
