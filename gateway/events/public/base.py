"""What all public events have in common."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Channel = Literal["email", "sms", "zalo", "call"]


class EventBase(BaseModel):
    """Something that happened. The same object in the feed, in the stream and in webhooks."""

    model_config = ConfigDict(extra="forbid")

    id: UUID = Field(description="Stays the same however often the event is sent")
    object: Literal["event"] = "event"
    position: int | None = Field(
        description="Its place in the shop's feed: 1, 2, 3, … without a gap. Null in a test event"
    )
    occurred_at: datetime
