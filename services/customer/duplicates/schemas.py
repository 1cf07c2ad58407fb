"""Duplicate candidates as clients read and decide them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from shared.bodies import Body

DuplicateStatus = Literal["open", "dismissed"]


class DuplicateRead(BaseModel):
    """Two customers who may be one person."""

    id: UUID
    object: Literal["duplicate_candidate"] = "duplicate_candidate"
    older_id: UUID = Field(description="The customer who was known first")
    newer_id: UUID
    score: int = Field(description="How likely they are one person, from 1 to 100", examples=[60])
    reasons: list[str] = Field(examples=[["same_email_claimed"]])
    status: DuplicateStatus
    created_at: datetime
    updated_at: datetime
    version: int


class DuplicatePatch(Body):
    """What a person decided: `dismissed` pairs are two people and are never proposed again."""

    status: DuplicateStatus
