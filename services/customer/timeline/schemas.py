"""The timeline as clients read it."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from shared.pii import pii


class TimelineEntryRead(BaseModel):
    """One thing that happened to a customer, told by any part of the system."""

    id: UUID
    object: Literal["timeline_entry"] = "timeline_entry"
    type: str = Field(examples=["order.placed"])
    source: str = Field(description="The part that knows more", examples=["customer"])
    occurred_at: datetime
    title: str = Field(
        description="For people; in the language of Accept-Language",
        examples=["Placed order #1001"],
    )
    data: Annotated[dict[str, Any], pii("document")] = Field(
        description="Ids and words of the thing",
        examples=[{"order_id": "0199d6a2-b1c9-7e4f-9b1f-5d6c7a8e9f00", "number": "#1001"}],
    )
