"""Queues as clients see them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from shared.bodies import Body
from shared.text import Name
from shared.web.patches import NeverNull


class QueueMemberRead(BaseModel):
    """An agent who takes tickets from the queue."""

    agent_id: UUID
    name: str
    role: str


class QueueRead(BaseModel):
    """Where tickets wait. New ones go to the members in turn."""

    id: UUID
    object: Literal["queue"] = "queue"
    name: str = Field(examples=["Support"])
    is_default: bool
    team_id: UUID | None = Field(
        description="The team whose queue it is, and whom its new tickets are for"
    )
    assignment: Literal["round_robin"] = "round_robin"
    members: list[QueueMemberRead]
    version: int
    created_at: datetime


class QueueUpdate(Body):
    """What is absent stays; a `team_id` of `null` makes the queue nobody's in particular."""

    name: Annotated[Name | None, NeverNull()] = Field(default=None, examples=["Support"])
    team_id: UUID | None = None
