"""Duplicate candidates as clients read and decide them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.bodies import Body

DuplicateStatus = Literal["open", "dismissed", "merged"]
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
    merge_id: UUID | None = Field(description="The merge that has answered the question")
    created_at: datetime
    updated_at: datetime
    version: int


class DuplicateCreate(Body):
    """Two customers whom a person compares: to be looked at, or told apart for ever."""

    customer_id: UUID
    other_id: UUID
    status: Literal["open", "dismissed"] = "dismissed"

    @model_validator(mode="after")
    def _are_two(self) -> "DuplicateCreate":
        if self.customer_id == self.other_id:
            raise PydanticCustomError("same_customer", "Name two different customers")
        return self


class DuplicatePatch(Body):
    """What a person decided.

    `merged`: they are one. `dismissed`: they are two, are never proposed again and never merged.
    `open`: that was said too early.
    """

    status: DuplicateStatus
    survivor_id: UUID | None = Field(
        default=None, description="Into whom to merge; the older one unless given"
    )
