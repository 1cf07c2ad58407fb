"""The feed as clients read it."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from gateway.events.catalogue import FeedEvent

EventPattern = Annotated[
    str,
    StringConstraints(pattern=r"^(\*|[a-z_]+\.(\*|[a-z_]+))$", max_length=80),
    Field(examples=["ticket.*"]),
]


class EventPage(BaseModel):
    """Events in the order of the feed. There is always a cursor to go on from."""

    data: list[FeedEvent]
    next_cursor: str = Field(
        description="Give it as `after`, at once while `has_more`, else when you like; it may be"
        " ahead of the last event shown when others were filtered out",
        examples=["1042"],
    )
    has_more: bool = Field(description="There is more to read right now")
