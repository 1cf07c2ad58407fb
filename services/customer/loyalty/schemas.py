"""The loyalty programme as clients write and read it."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from services.customer.loyalty.terms import TierBasis
from shared.bodies import Body
from shared.moments import Instant
from shared.money import BIGINT_MAX, CurrencyCode, MoneyInput, MoneyRead
from shared.pii import pii
from shared.text import NormalisedStr, TextRule
from shared.web.patches import NeverNull

MAX_POINTS = 1_000_000_000
MAX_POINT_VALUE_MINOR = 1_000_000

EventName = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_.]{0,62}[a-z0-9]$", examples=["review.written"])
]
Reference = Annotated[str, TextRule(max_length=200)]
Note = Annotated[str, TextRule(max_length=500)]
Points = Annotated[int, Field(ge=1, le=MAX_POINTS, examples=[120])]
Percent = Annotated[
    int, Field(ge=1, le=10_000, description="100 is as it is, 150 half as much again")
]
EntryKindName = Literal[
    "earn", "mature", "reverse", "settle", "redeem", "restore", "expire", "adjust"
]
AccountName = Literal[
    "issued", "pending", "available", "owed", "redeemed", "expired", "reversed", "adjusted"
]


class ProgrammePut(Body):
    """A shop's loyalty programme, as it is to be from now on."""

    name: NormalisedStr = Field(examples=["Hoa Mai thân thiết"])
    active: bool = Field(
        default=True, description="While it is not, nothing is earned by new orders or spent"
    )
    currency: CurrencyCode | None = Field(
        default=None, description="Whose orders earn points; the shop's own, unless given"
    )
    starts_at: Instant | None = Field(
        default=None, description="Orders placed before earn nothing; now, unless given"
    )
    hold_days: int = Field(
        default=7,
        ge=0,
        le=365,
        description="The days of return: what an order earns can be spent when they are over",
    )
    expires_after_months: Annotated[int, Field(ge=1, le=120)] | None = Field(
        default=12, description="How long points can be spent; null for ever"
    )
    point_value: MoneyInput = Field(description="What a point is worth when it is redeemed")
    min_redemption: Points = 1
    tier_basis: TierBasis = Field(
        default="points", description="What tiers are reached by: points earned, or money spent"
    )
    tier_window_months: int = Field(default=12, ge=1, le=120)
    tier_grace_days: int = Field(
        default=30, ge=0, le=365, description="How long a tier is left to who no longer reaches it"
    )
    expiry_notice_days: Annotated[int, Field(ge=1, le=365)] | None = Field(
        default=30,
        description="How long before points expire `points.expiring` tells of it; null for never",
    )

    @model_validator(mode="after")
    def _one_currency(self) -> Self:
        if self.currency is not None and self.currency != self.point_value.currency:
            raise ValueError("A point is worth money of the programme's currency")
        if not 0 <= self.point_value.to_money().amount_minor <= MAX_POINT_VALUE_MINOR:
            raise ValueError(f"A point is worth 0 to {MAX_POINT_VALUE_MINOR} minor units")
        return self


class ProgrammeRead(BaseModel):
    """A shop's loyalty programme."""

    object: Literal["loyalty_programme"] = "loyalty_programme"
    name: str
    active: bool
    currency: str
    starts_at: datetime
    hold_days: int
    expires_after_months: int | None
    point_value: MoneyRead
    min_redemption: int
    tier_basis: TierBasis
    tier_window_months: int
    tier_grace_days: int
    expiry_notice_days: int | None
    created_at: datetime
    updated_at: datetime
    version: int


class RuleCreate(Body):
    """How points are earned: by the money of an order, or by something that happens."""

    kind: Literal["order", "event"]
    points: Points
    per_amount: MoneyInput | None = Field(
        default=None, description="`order`: points for each full so much that was paid and kept"
    )
    event: EventName | None = Field(
        default=None, description="`event`: what is told to `POST /v1/loyalty/events`"
    )
    limit_per_customer: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        default=None, description="`event`: how often somebody can earn by it"
    )
    active: bool = True
    starts_at: Instant | None = None
    ends_at: Instant | None = None

    @model_validator(mode="after")
    def _as_its_kind(self) -> Self:
        if self.kind == "order":
            if self.per_amount is None or not self.per_amount.to_money().amount_minor > 0:
                raise ValueError("A rule of orders needs an amount above zero")
            if self.event is not None or self.limit_per_customer is not None:
                raise ValueError("A rule of orders has no event and no limit")
        elif self.event is None or self.per_amount is not None:
            raise ValueError("A rule of events needs its event, and no amount")
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValueError("A rule ends after it starts")
        return self


class RulePatch(Body):
    """A change: what is absent stays as it is. What was earned stays as it was earned."""

    points: Annotated[Points | None, NeverNull()] = None
    limit_per_customer: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    active: Annotated[bool | None, NeverNull()] = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None


class RuleRead(BaseModel):
    """How points are earned."""

    id: UUID
    object: Literal["loyalty_rule"] = "loyalty_rule"
    kind: Literal["order", "event"]
    points: int
    per_amount: MoneyRead | None
    event: str | None
    limit_per_customer: int | None
    active: bool
    starts_at: datetime | None
    ends_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int


class RuleList(BaseModel):
    """All rules, the oldest first."""

    data: list[RuleRead]


Threshold = Annotated[
    int,
    Field(
        ge=0,
        le=BIGINT_MAX,
        description="Points earned, or whole minor units spent, in the programme's window",
    ),
]


class TierCreate(Body):
    """A tier that customers reach."""

    name: NormalisedStr = Field(examples=["Vàng"])
    threshold: Threshold
    multiplier_percent: Percent = 100


class TierPatch(Body):
    """A change: what is absent stays as it is. Who has which tier follows with the next night."""

    name: Annotated[NormalisedStr | None, NeverNull()] = None
    multiplier_percent: Annotated[Percent | None, NeverNull()] = None


class TierRead(BaseModel):
    """A tier."""

    id: UUID
    object: Literal["loyalty_tier"] = "loyalty_tier"
    name: str
    threshold: int
    multiplier_percent: int
    created_at: datetime
    updated_at: datetime
    version: int


class TierList(BaseModel):
    """All tiers, the lowest first."""

    data: list[TierRead]


class AccountTier(BaseModel):
    """The tier that a customer has, and what it brings."""

    id: UUID
    name: str
    multiplier_percent: int
    grace_until: datetime | None = Field(
        description="They no longer reach it, and keep it until then"
    )


class NextExpiry(BaseModel):
    """What expires next."""

    points: int
    at: datetime


class AccountRead(BaseModel):
    """What a customer has now, all records of the person together.

    The sums of their entries, and of those that are about to be written of what has matured or
    expired.
    """

    object: Literal["loyalty_account"] = "loyalty_account"
    customer_id: UUID
    available: int = Field(description="Can be spent now; never below zero")
    pending: int = Field(description="Can be spent once the days of return are over")
    owed: int = Field(
        description="Spent before the order was given back; paid from what comes next"
    )
    value: MoneyRead = Field(description="What `available` is worth when it is redeemed")
    next_expiry: NextExpiry | None
    tier: AccountTier | None


class EntryRead(BaseModel):
    """Points that moved from one account to another; the sum of all entries is zero."""

    id: UUID
    object: Literal["loyalty_entry"] = "loyalty_entry"
    customer_id: UUID
    kind: EntryKindName
    debit: AccountName = Field(description="The account they came from")
    credit: AccountName = Field(description="The account they went to")
    points: int
    change: int = Field(description="What `available` grew by; below zero when it shrank")
    lot_id: UUID
    order_id: UUID | None
    redemption_id: UUID | None
    note: Annotated[str | None, pii("words")]
    created_at: datetime


class RedemptionCreate(Body):
    """Points to be spent by a customer."""

    customer_id: UUID
    points: Points
    reference: Reference | None = Field(
        default=None, description="What they are spent on", examples=["HD-1001"]
    )


class RedemptionRead(BaseModel):
    """Points that were spent."""

    id: UUID
    object: Literal["loyalty_redemption"] = "loyalty_redemption"
    customer_id: UUID
    status: Literal["done", "cancelled"]
    points: int
    value: MoneyRead
    reference: str | None
    available: int = Field(description="What is left to spend")
    created_at: datetime
    cancelled_at: datetime | None


class AdjustmentCreate(Body):
    """Points given or taken by hand."""

    customer_id: UUID
    points: int = Field(ge=-MAX_POINTS, le=MAX_POINTS, examples=[-50])
    note: Note = Field(description="Why", examples=["Xin lỗi vì giao trễ"])

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.points:
            raise ValueError("Nothing is given or taken")
        return self


class EventCreate(Body):
    """Something a customer did that earns points."""

    customer_id: UUID
    event: EventName
    reference: Reference = Field(
        description="Which one: told again, of whomever, it earns nothing more",
        examples=["review-118"],
    )
    at: Instant | None = Field(default=None, description="When it happened; now, unless given")


class EventRead(BaseModel):
    """What an event has earned for a customer, now or when it was told first of them."""

    object: Literal["loyalty_event"] = "loyalty_event"
    customer_id: UUID
    event: str
    reference: str
    points: int
    available_at: datetime | None = Field(description="When it can be spent")
