"""Scans for duplicates as clients ask for them and read them."""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.customer.duplicate_scans.features import BlockKind
from shared.bodies import Body

KIND: Final = "duplicate_scan"
"""What the jobs are called that look for duplicates among all customers."""

MIN_SCORE: Final = 40
ScanMode = Literal["full", "changed"]
ScanStatus = Literal["running", "succeeded", "failed", "cancelled"]
MinScore = Annotated[
    int, Field(ge=20, le=99, description="From which score on a pair becomes a candidate")
]


class DuplicateScanCreate(Body):
    """What to look for."""

    mode: ScanMode = Field(
        default="full",
        description="Everybody with everybody who may be alike, or only those who were changed "
        "since the last scan that reached its end",
    )
    min_score: MinScore | None = Field(default=None, description="As the policy says, if absent")


class SkippedBlocks(BaseModel):
    """Customers who have something in common that too many have to mean anything."""

    kind: BlockKind = Field(description="What they have in common", examples=["birth_date"])
    blocks: int
    customers: int


class DuplicateScanRead(BaseModel):
    """A scan of all customers for duplicates. The figures are there when it has ended."""

    id: UUID = Field(description="Also that of the job that does it")
    object: Literal["duplicate_scan"] = "duplicate_scan"
    mode: ScanMode
    min_score: int
    status: ScanStatus
    changed_since: datetime | None
    customers: int = Field(description="Of whom it was looked at, one for each person")
    comparisons: int = Field(description="Compared, two at a time", examples=[412345])
    pairs: int = Field(description="Who may be one, known or not")
    new_pairs: int = Field(description="Of them those who were no candidates before")
    skipped: list[SkippedBlocks] = Field(
        description="What was not compared, because too many have it in common"
    )
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None


class DuplicatePolicyPut(Body):
    """How a shop looks for duplicates by itself."""

    nightly: bool = Field(
        default=False, description="Scan after 2 o'clock each night, who was changed since the last"
    )
    min_score: MinScore = MIN_SCORE


class DuplicatePolicyRead(BaseModel):
    """How a shop looks for duplicates by itself."""

    object: Literal["duplicate_policy"] = "duplicate_policy"
    nightly: bool
    min_score: int
    updated_at: datetime | None = Field(description="Null while nobody has decided anything")
    version: int
