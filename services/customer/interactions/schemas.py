"""Interactions as clients write and read them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from shared.bodies import Body
from shared.moments import Instant
from shared.pii import pii
from shared.text import TextRule

InteractionKind = Literal["call", "chat", "visit", "email", "message", "meeting", "other"]
Direction = Literal["inbound", "outbound"]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
InteractionText = Annotated[str, TextRule(max_length=20_000, lines=True)]
# A day; what lasts longer is several interactions.
Duration = Annotated[int, Field(ge=0, le=86_400, description="Seconds")]


class InteractionCreate(Body):
    """Something that passed between a customer and the shop."""

    customer_id: UUID
    kind: InteractionKind
    direction: Direction | None = None
    channel: Code | None = Field(default=None, examples=["zalo"])
    staff_id: UUID | None = Field(
        default=None, description="Who it was; the caller, if that is a member of staff"
    )
    started_at: Instant | None = Field(default=None, description="Now, unless it is said")
    duration_s: Duration | None = None
    outcome: Code | None = Field(
        default=None,
        description="What came of it: one of the shop's outcomes, where it has defined some",
        examples=["wants_quote"],
    )
    text: InteractionText | None = Field(default=None, description="What was said")


class InteractionPatch(Body):
    """A change: what is absent stays as it is, `null` clears. When and with whom it was stays."""

    direction: Direction | None = None
    channel: Code | None = None
    duration_s: Duration | None = None
    outcome: Code | None = None
    text: InteractionText | None = None


class InteractionRead(BaseModel):
    """Something that passed between a customer and the shop."""

    id: UUID
    object: Literal["interaction"] = "interaction"
    customer_id: UUID
    kind: InteractionKind
    direction: Direction | None
    channel: str | None
    staff_id: UUID | None
    started_at: datetime
    duration_s: int | None
    outcome: str | None
    text: Annotated[str | None, pii("words")]
    created_at: datetime
    updated_at: datetime
    version: int


class CareRead(BaseModel):
    """How a customer is being looked after, over all records of the person."""

    customer_id: UUID = Field(description="The record that stands for the person")
    object: Literal["care"] = "care"
    owner_id: UUID | None
    last_interaction_at: datetime | None = Field(
        description="The newest interaction, message from them, ticket or answer to one"
    )
    last_interaction_kind: str | None = Field(examples=["call"])
    last_staff_id: UUID | None = Field(description="Who of the staff it was, where that is known")
    days_since_last_interaction: int | None = Field(
        description="Days of the shop's calendar: 1 for yesterday, however late it was"
    )
    interactions_count: int = Field(description="Interactions that staff have recorded")
