"""Suppressions as clients write and read them."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, EmailStr, Field

from services.messaging.policies.records import Channel
from services.messaging.preferences.repository import Scope, Suppression, SuppressionReason
from shared.bodies import Body
from shared.pii import pii


class SuppressionCreate(Body):
    """An address that must not be written to any more."""

    channel: Channel = "email"
    address: Annotated[EmailStr, Field(max_length=254, examples=["an@example.com"])]
    scope: Scope = Field(
        default="marketing", description="`marketing`: care and advertising; `all`: everything"
    )
    reason: Literal["manual", "complaint", "invalid_address"] = "manual"


class SuppressionRead(BaseModel):
    """An address that must not be written to, since when and why."""

    id: UUID
    object: Literal["suppression"] = "suppression"
    channel: Channel
    address: Annotated[str, pii("contact")]
    scope: Scope
    reason: SuppressionReason
    source: str = Field(description="Who said so", examples=["one_click"])
    message_id: UUID | None = Field(description="The message that led to it")
    customer_id: UUID | None
    created_at: datetime

    @classmethod
    def of(cls, suppression: Suppression) -> Self:
        """What clients see of a suppression."""
        names = set(cls.model_fields) - {"object"}
        return cls(**{name: getattr(suppression, name) for name in names})
