"""Notes as clients write and read them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from shared.bodies import Body
from shared.pii import pii
from shared.text import TextRule
from shared.web.patches import NeverNull

NoteText = Annotated[str, TextRule(max_length=20_000, lines=True)]


class PersonNoteCreate(Body):
    """Something to remember about a customer."""

    text: NoteText = Field(examples=["Thích được gọi sau 17 giờ"])
    pinned: bool = False


class PersonNotePatch(Body):
    """A change: what is absent stays as it is."""

    text: Annotated[NoteText | None, NeverNull()] = None
    pinned: Annotated[bool | None, NeverNull()] = None


class PersonNoteRead(BaseModel):
    """Something to remember about a customer."""

    id: UUID
    object: Literal["note"] = "note"
    customer_id: UUID = Field(description="The record that it was written to")
    text: Annotated[str, pii("words")]
    pinned: bool
    created_by: UUID | None = Field(description="The member of staff who wrote it")
    created_at: datetime
    updated_at: datetime
    version: int
