"""Queues as clients see them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field


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
    assignment: Literal["round_robin"] = "round_robin"
    members: list[QueueMemberRead]
    created_at: datetime
