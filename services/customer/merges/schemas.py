"""Merges as clients ask for and read them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from services.customer.customers.record import Stage
from services.customer.customers.schemas import CustomerRead
from shared.bodies import Body
from shared.pii import pii
from shared.text import TextRule

MergeStatus = Literal["planned", "done", "undone"]
MOST_MERGED = 1000

FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.]{0,79}$")]
Reason = Annotated[str, TextRule(max_length=500, lines=True)]


class MergeCreate(Body):
    """Whom to merge into a customer."""

    customer_ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_MERGED)] = Field(
        description="The others, the most telling first: blanks are filled from the first that can"
    )
    fields: Annotated[dict[FieldName, UUID], Field(max_length=100)] = Field(
        default_factory=dict,
        description="Which record a field is taken from, where the customer's own is not wanted; "
        "an attribute is `attributes.<name>`",
        examples=[{"email": "0199d6a2-b1c9-7e4f-9b1f-5d6c7a8e9f00"}],
    )
    reason: Reason | None = Field(default=None, examples=["Same phone number, told us by phone"])


class MergeUndo(Body):
    """Whom to take out of a merge; the others stay merged."""

    customer_ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_MERGED)] | None = Field(
        default=None, description="Of the `merged_ids`; all of them if left out"
    )


class TakenOutRecord(BaseModel):
    """A record that was taken out of a merge, the others staying."""

    customer_id: UUID
    at: datetime
    by: str = Field(description="The `actor_id` of whoever has done it")


class TakenField(BaseModel):
    """A field that the customer took from another record."""

    field: str = Field(examples=["email"])
    customer_id: UUID = Field(description="The record it was taken from")
    before: Annotated[Any, pii("words")] = Field(description="What the customer had before")
    after: Annotated[Any, pii("words")] = Field(description="What was taken")


class OtherValue(BaseModel):
    """What another record says of a field; it is kept there."""

    customer_id: UUID
    value: Annotated[Any, pii("words")]


class FieldConflict(BaseModel):
    """A field of which the records say different things."""

    field: str = Field(examples=["name"])
    customer_id: UUID = Field(description="The record that counts")
    value: Annotated[Any, pii("words")]
    others: list[OtherValue] = Field(description="The first 20 of those that say something else")


class MergeRead(BaseModel):
    """One decision that records are one person's."""

    id: UUID | None = Field(description="Null for one that is only planned")
    object: Literal["merge"] = "merge"
    status: MergeStatus
    customer_id: UUID = Field(description="The record that the others were merged into")
    merged_ids: list[UUID] = Field(description="Whom it has merged, but for those taken out")
    taken_out: list[TakenOutRecord]
    reason: Annotated[str | None, pii("words")]
    actor_kind: str = Field(examples=["staff"])
    actor_id: str
    taken: list[TakenField]
    tags_added: list[str]
    created_at: datetime
    undone_at: datetime | None
    undone_by: str | None
    version: int


class MergeOutcome(MergeRead):
    """A merge, and what follows from it. With `dry_run` what would follow."""

    customer: CustomerRead = Field(description="The customer as of now")
    conflicts: list[FieldConflict]
    moves: dict[str, int] = Field(
        description="How much of what belongs to the merged records the customer shows from now on",
        examples=[{"orders": 3, "tasks": 1}],
    )


class ChangedField(BaseModel):
    """A field that was changed while they were one: it stays with the customer as it is."""

    customer_id: UUID
    field: str
    value: Annotated[Any, pii("words")]


class WrittenThings(BaseModel):
    """Things that were written to the customer by id while they were one; they stay there."""

    object: str = Field(examples=["note"])
    ids: list[UUID] = Field(description="The first 100")
    more: bool = Field(description="Whether there are more than these")


class Undecided(BaseModel):
    """What nobody can decide by a rule: a person may look at it."""

    fields: list[ChangedField]
    things: list[WrittenThings]


class UndoOutcome(MergeRead):
    """A merge that was undone, who they are now, and what could not be decided."""

    customer: CustomerRead = Field(description="Who the others were taken off, as of now")
    parted_ids: list[UUID] = Field(description="Who stand for themselves again")
    given_back: list[str] = Field(description="The fields that are again what they were")
    undecided: Undecided


class AliasRead(BaseModel):
    """One record of a customer: its id and code lead to the customer for ever."""

    id: UUID
    object: Literal["alias"] = "alias"
    code: str = Field(examples=["KH000123"])
    customer_id: UUID = Field(description="Who stands for it")
    stage: Stage
    source: str
    created_at: datetime
