"""What people earn by staying: points, tiers, friends' rewards, vouchers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from gateway.events.projection import Amount, From, PublicObject
from gateway.events.public.base import EventBase
from shared.contracts import loyalty as y
from shared.contracts.event import Event
from shared.money import MoneyRead
from shared.pii import pii


class EventBalance(PublicObject):
    """What somebody has: to spend now, later, and what they spent and lost."""

    available: int
    pending: int
    owed: int


class EventPoints(PublicObject):
    """Points of a person that moved together. All records of a person have one account."""

    id: Annotated[UUID, From("movement_id")]
    object: Literal["points_movement"] = "points_movement"
    customer_id: UUID = Field(description="Who stands for the person at that moment")
    record_id: UUID | None = Field(
        default=None, description="The record they came through, where it is one"
    )
    points: int = Field(description="How many; below zero for those that were taken by hand")
    cause: Literal["order", "event", "referral", "adjustment"] | None = Field(
        default=None, description="What had earned them, where it is one thing"
    )
    order_id: UUID | None = None
    redemption_id: UUID | None = None
    note: Annotated[str | None, pii("words")] = None
    available_at: datetime | None = None
    expires_at: datetime | None = None
    balance: EventBalance | None = Field(
        default=None, description="After all that happened with their points at that moment"
    )


class EventTier(PublicObject):
    """One of the shop's tiers."""

    tier_id: UUID
    name: str
    multiplier_percent: int


class EventTierChange(PublicObject):
    """The tier somebody has now, and which they had before, unless it is no more."""

    object: Literal["tier_change"] = "tier_change"
    customer_id: UUID
    tier: EventTier | None = None
    previous: EventTier | None = None
    grace_until: datetime | None = Field(
        default=None, description="Until when a tier is left to who no longer reaches it"
    )
    changed_at: datetime


class EventReferral(PublicObject):
    """Who brought whom, and what both got for it."""

    id: Annotated[UUID, From("referral_id")]
    object: Literal["referral"] = "referral"
    code: str
    referrer_id: UUID
    friend_id: UUID
    order_id: UUID
    referrer_points: int
    friend_points: int
    rewarded_at: datetime


class EventVoucherCode(PublicObject):
    """A voucher's code that is somebody's own."""

    id: Annotated[UUID, From("code_id")]
    object: Literal["voucher_code"] = "voucher_code"
    voucher_id: UUID
    customer_id: UUID
    code: str
    name: str
    kind: Literal["amount", "percent", "gift"]
    percent: int | None = None
    value: Annotated[MoneyRead, Amount("value_minor")] = Field(
        description="What is taken off, or what the gift is worth; 0 for `percent`"
    )
    gift: str | None = None
    valid_from: datetime
    valid_until: datetime | None = None
    issued_at: datetime


class EventVoucherRedemption(PublicObject):
    """A use of a voucher's code."""

    id: Annotated[UUID, From("redemption_id")]
    object: Literal["voucher_redemption"] = "voucher_redemption"
    voucher_id: UUID
    code_id: UUID
    code: str
    customer_id: UUID | None = None
    status: Literal["done", "cancelled"]
    order_total: Annotated[MoneyRead, Amount("order_minor")]
    discount: Annotated[MoneyRead, Amount("discount_minor")]
    reference: Annotated[str | None, pii("words")] = None
    redeemed_at: datetime
    cancelled_at: datetime | None = None


class PointsData(PublicObject):
    """Points that moved."""

    movement: EventPoints


class TierChangeData(PublicObject):
    """A change of somebody's tier."""

    change: EventTierChange


class ReferralData(PublicObject):
    """A referral."""

    referral: EventReferral


class VoucherCodeData(PublicObject):
    """A voucher's code."""

    voucher_code: Annotated[EventVoucherCode, From("voucher")]


class VoucherRedemptionData(PublicObject):
    """A use of a voucher's code."""

    redemption: EventVoucherRedemption


class PointsEarned(EventBase):
    """Somebody was given points for something; they may have to wait before they can be spent."""

    type: Literal["points.earned"]
    data: PointsData


class PointsAvailable(EventBase):
    """Points can be spent from now on."""

    type: Literal["points.available"]
    data: PointsData


class PointsRedeemed(EventBase):
    """Points were spent."""

    type: Literal["points.redeemed"]
    data: PointsData


class PointsRestored(EventBase):
    """Points that were spent are there again: the redemption was cancelled."""

    type: Literal["points.restored"]
    data: PointsData


class PointsAdjusted(EventBase):
    """Points were given, or taken, by hand."""

    type: Literal["points.adjusted"]
    data: PointsData


class PointsReversed(EventBase):
    """Points were taken back, as what had earned them was given back."""

    type: Literal["points.reversed"]
    data: PointsData


class PointsExpiring(EventBase):
    """Points are about to expire, as long before as the programme says; told once for each."""

    type: Literal["points.expiring"]
    data: PointsData


class PointsExpired(EventBase):
    """Points can no longer be spent."""

    type: Literal["points.expired"]
    data: PointsData


class TierRaised(EventBase):
    """Somebody has reached a tier."""

    type: Literal["tier.raised"]
    data: TierChangeData


class TierLowered(EventBase):
    """Somebody has a lower tier, or none any more."""

    type: Literal["tier.lowered"]
    data: TierChangeData


class TierGraceBegan(EventBase):
    """Somebody no longer reaches their tier; it is left to them until `grace_until`."""

    type: Literal["tier.grace_began"]
    data: TierChangeData


class ReferralRewarded(EventBase):
    """A friend paid a first order, and both were rewarded."""

    type: Literal["referral.rewarded"]
    data: ReferralData


class VoucherIssued(EventBase):
    """Somebody was given a code of their own."""

    type: Literal["voucher.issued"]
    data: VoucherCodeData


class VoucherRedeemed(EventBase):
    """A code was used."""

    type: Literal["voucher.redeemed"]
    data: VoucherRedemptionData


class VoucherRedemptionCancelled(EventBase):
    """A use of a code does not count any more."""

    type: Literal["voucher.redemption_cancelled"]
    data: VoucherRedemptionData


LoyaltyEvent = (
    PointsEarned
    | PointsAvailable
    | PointsRedeemed
    | PointsRestored
    | PointsAdjusted
    | PointsReversed
    | PointsExpiring
    | PointsExpired
    | TierRaised
    | TierLowered
    | TierGraceBegan
    | ReferralRewarded
    | VoucherIssued
    | VoucherRedeemed
    | VoucherRedemptionCancelled
)

EVENTS: Final[Mapping[type[Event], type[EventBase]]] = {
    y.PointsEarned: PointsEarned,
    y.PointsBecameAvailable: PointsAvailable,
    y.PointsRedeemed: PointsRedeemed,
    y.PointsRestored: PointsRestored,
    y.PointsAdjusted: PointsAdjusted,
    y.PointsReversed: PointsReversed,
    y.PointsExpiring: PointsExpiring,
    y.PointsExpired: PointsExpired,
    y.TierRaised: TierRaised,
    y.TierLowered: TierLowered,
    y.TierGraceBegan: TierGraceBegan,
    y.ReferralRewarded: ReferralRewarded,
    y.VoucherIssued: VoucherIssued,
    y.VoucherRedeemed: VoucherRedeemed,
    y.VoucherRedemptionCancelled: VoucherRedemptionCancelled,
}
