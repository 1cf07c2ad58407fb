"""Duplicate candidates as clients read and decide them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from shared.bodies import Body

DuplicateStatus = Literal["open", "dismissed"]
Reason = Literal[
    "same_platform_id",
    "same_email",
    "same_email_claimed",
    "same_phone",
    "same_phone_claimed",
    "same_tax_code",
    "same_organisation",
    "same_name",
    "similar_name",
    "partial_name",
    "same_birth_date",
    "swapped_birth_date",
    "lunar_birth_date",
    "close_birth_date",
    "same_address",
    "similar_address",
    "same_mailbox",
    "similar_phone",
    "different_birth_date",
    "different_gender",
]
"""What candidates may have among their reasons; `different_…` speak against."""


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
