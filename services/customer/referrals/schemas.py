"""Referrals as clients write and read them."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.bodies import Body
from shared.text import TextRule

ReferralStatus = Literal["pending", "rewarded", "void"]
RewardPoints = Annotated[int, Field(ge=0, le=1_000_000_000, examples=[100])]


class ReferralProgrammePut(Body):
    """What a shop gives for a friend, from now on."""

    active: bool = True
    referrer_points: RewardPoints = Field(description="To whoever brought the friend")
    friend_points: RewardPoints = Field(description="To the friend")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.referrer_points and not self.friend_points:
            raise ValueError("Nobody would be given anything")
        return self


class ReferralProgrammeRead(BaseModel):
    """What a shop gives for a friend."""

    object: Literal["referral_programme"] = "referral_programme"
    active: bool
    referrer_points: int
    friend_points: int
    created_at: datetime
    updated_at: datetime
    version: int


class ReferralCodeCreate(Body):
    """Whose code it is."""

    customer_id: UUID


class ReferralCodeRead(BaseModel):
    """The code that somebody gives to friends."""

    object: Literal["referral_code"] = "referral_code"
    customer_id: UUID
    code: str
    created_at: datetime


class ReferralCreate(Body):
    """A friend came with somebody's code."""

    code: Annotated[str, TextRule(max_length=40), Field(examples=["BAN-7QKX2M9A"])]
    customer_id: UUID = Field(description="The friend")


class ReferralRead(BaseModel):
    """Who brought whom, and what came of it."""

    id: UUID
    object: Literal["referral"] = "referral"
    code: str
    referrer_id: UUID
    friend_id: UUID
    status: ReferralStatus
    reason: Literal["same_person", "not_new"] | None = Field(description="Why it is void")
    order_id: UUID | None = Field(description="The friend's first paid order")
    referrer_points: int | None
    friend_points: int | None
    created_at: datetime
    decided_at: datetime | None


class ReferralReport(BaseModel):
    """What referrals have brought from one instant up to another."""

    model_config = ConfigDict(populate_by_name=True)

    object: Literal["referral_report"] = "referral_report"
    from_: datetime = Field(alias="from")
    to: datetime
    registered: int = Field(description="Friends who came with a code")
    rewarded: int = Field(description="Of friends, the first paid orders")
    void: int
    referrers: int = Field(
        description="Customers who brought a friend, and the referral is not void; each person once"
    )
    first_orders: int = Field(description="Customers who ordered for the first time")
    customers: int = Field(
        description="Customers there were: who had ordered by then, and the referrers who had not"
    )
    referral_rate: float | None = Field(
        description="rewarded ÷ first_orders; null when nobody ordered for the first time"
    )
    referrer_rate: float | None = Field(
        description="referrers ÷ customers, 0 to 1; null without any customers"
    )
