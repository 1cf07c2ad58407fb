"""Business calendars as clients see them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.support_ticket.calendars.opening_hours import OpeningHours
from shared.bodies import Body
from shared.text import Name


class CalendarPut(Body):
    """The whole calendar; what is left out is no longer so."""

    name: Name
    hours: OpeningHours


class CalendarRead(BaseModel):
    """When the shop is open. Clocks that already run keep the version they started with."""

    id: UUID
    object: Literal["business_calendar"] = "business_calendar"
    name: str = Field(examples=["Opening hours"])
    is_default: bool
    hours: OpeningHours
    version: int
    created_at: datetime
    updated_at: datetime
