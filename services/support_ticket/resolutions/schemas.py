"""Resolutions as clients see them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, field_validator

from shared.bodies import Body
from shared.money import MoneyInput, MoneyRead
from shared.text import TextRule

ResolutionKind = Literal["answer", "guide", "exchange", "refund", "compensation", "other"]
ResolutionResult = Literal["positive", "negative"]


class ResolutionCreate(Body):
    """How the request was settled, and whether to the customer's content."""

    kind: ResolutionKind
    amount: MoneyInput | None = Field(
        default=None, description="What it cost: a refund, a compensation, an exchange"
    )
    result: ResolutionResult = "positive"
    reason: Annotated[str, TextRule(max_length=2000, lines=True)] | None = Field(
        default=None, description="Why, for the shop itself"
    )

    @field_validator("amount")
    @classmethod
    def _not_negative(cls, amount: MoneyInput | None) -> MoneyInput | None:
        if amount is not None and amount.amount.startswith("-"):
            raise ValueError("an amount is not negative")
        return amount


class ResolutionRead(BaseModel):
    """How one episode of a ticket ended."""

    object: Literal["resolution"] = "resolution"
    ticket_id: UUID
    episode: int
    kind: ResolutionKind
    amount: MoneyRead | None
    result: ResolutionResult
    reason: str | None
    resolved_at: datetime


class ResolutionTotal(BaseModel):
    """All resolutions of one kind and currency (none when no money was involved)."""

    kind: ResolutionKind
    result: ResolutionResult
    count: int
    amount: MoneyRead | None


class ResolutionTotals(BaseModel):
    """What settling requests came to in a period."""

    object: Literal["resolution_totals"] = "resolution_totals"
    data: list[ResolutionTotal]
