"""Reports as clients read them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field


class Equation(BaseModel):
    """Two counts, from different places, that are equal once everybody has heard everything."""

    name: str = Field(examples=["orders_kept"])
    explanation: str = Field(examples=["orders told by platforms = orders of platforms kept"])
    left: int | None = Field(description="null when its part could not be asked")
    right: int | None
    ok: bool | None = Field(description="null when a side is")


class CareLoopReport(BaseModel):
    """The care loop in numbers: what each part counts, and whether the counts agree."""

    object: Literal["care_loop_report"] = "care_loop_report"
    at: datetime
    counts: dict[str, dict[str, int] | None] = Field(
        description="By part, then by name; null for a part that could not be asked"
    )
    reconciliation: list[Equation]
    reconciled: bool | None = Field(
        description="All equations hold; false for moments is normal while news is under way, "
        "null when a part could not be asked"
    )
