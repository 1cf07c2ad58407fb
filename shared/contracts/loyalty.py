"""What the customer service tells of points, tiers, referrals and vouchers.

`customer_id` is who stands for the person at that moment: all records of a person have one account.
"""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.contracts.event import Contract, Event


class PointsBalance(Contract):
    """What somebody has: to spend now, later, and what they spent and lost; never below zero."""

    available: int
    pending: int
    owed: int


class PointsState(Contract):
    """Points that moved together, and what the person has after all that happened with them.

    `cause` is what had earned them, `record_id` the record they came through; both are absent when
    points of several causes moved.
    """

    movement_id: UUID
    customer_id: UUID
    record_id: UUID | None = None
    points: int
    cause: Literal["order", "event", "referral", "adjustment"] | None = None
    order_id: UUID | None = None
    redemption_id: UUID | None = None
    note: str | None = None
    available_at: datetime | None = None
    expires_at: datetime | None = None
    balance: PointsBalance | None = None


class PointsEarned(Event):
    """Somebody was given points for something; they may have to wait. Key: the customer."""

    type: ClassVar[str] = "customer.points_earned"
    movement: PointsState


class PointsBecameAvailable(Event):
    """Points can be spent from now on. Key: the customer."""

    type: ClassVar[str] = "customer.points_became_available"
    movement: PointsState


class PointsRedeemed(Event):
    """Points were spent. Key: the customer."""

    type: ClassVar[str] = "customer.points_redeemed"
    movement: PointsState


class PointsRestored(Event):
    """Points that were spent are there again: the redemption was cancelled. Key: the customer."""

    type: ClassVar[str] = "customer.points_restored"
    movement: PointsState


class PointsAdjusted(Event):
    """Points were given by hand, or taken (then below zero). Key: the customer."""

    type: ClassVar[str] = "customer.points_adjusted"
    movement: PointsState


class PointsReversed(Event):
    """Points were taken back: what had earned them was given back. Key: the customer."""

    type: ClassVar[str] = "customer.points_reversed"
    movement: PointsState


class PointsExpiring(Event):
    """Points are about to expire; told once for each. Key: the customer."""

    type: ClassVar[str] = "customer.points_expiring"
    movement: PointsState


class PointsExpired(Event):
    """Points can no longer be spent. Key: the customer."""

    type: ClassVar[str] = "customer.points_expired"
    movement: PointsState


class TierState(Contract):
    """One of a shop's tiers."""

    tier_id: UUID
    name: str
    multiplier_percent: int


class TierChange(Contract):
    """The tier somebody has now, and which they had before, which may be no more."""

    customer_id: UUID
    tier: TierState | None = None
    previous: TierState | None = None
    grace_until: datetime | None = None
    changed_at: datetime


class TierRaised(Event):
    """Somebody has reached a tier. Key: the customer."""

    type: ClassVar[str] = "customer.tier_raised"
    change: TierChange


class TierLowered(Event):
    """Somebody has a lower tier, or none any more. Key: the customer."""

    type: ClassVar[str] = "customer.tier_lowered"
    change: TierChange


class TierGraceBegan(Event):
    """Somebody no longer reaches their tier, which is left to them for a while. Key: the customer.

    What is left to them is `tier`, until `grace_until`.
    """

    type: ClassVar[str] = "customer.tier_grace_began"
    change: TierChange


class ReferralState(Contract):
    """Who brought whom, and what both got for it."""

    referral_id: UUID
    code: str
    referrer_id: UUID
    friend_id: UUID
    order_id: UUID
    referrer_points: int
    friend_points: int
    rewarded_at: datetime


class ReferralRewarded(Event):
    """A friend paid a first order, and both were rewarded. Key: the referrer."""

    type: ClassVar[str] = "customer.referral_rewarded"
    referral: ReferralState


class VoucherCodeState(Contract):
    """A code that somebody was given; money in minor units of `currency`."""

    code_id: UUID
    voucher_id: UUID
    customer_id: UUID
    code: str
    name: str
    kind: Literal["amount", "percent", "gift"]
    percent: int | None = None
    currency: str
    value_minor: int = 0
    gift: str | None = None
    valid_from: datetime
    valid_until: datetime | None = None
    issued_at: datetime


class VoucherIssued(Event):
    """Somebody was given a code of their own. Key: the customer."""

    type: ClassVar[str] = "customer.voucher_issued"
    voucher: VoucherCodeState


class VoucherRedemptionState(Contract):
    """A use of a code; money in minor units of `currency`."""

    redemption_id: UUID
    voucher_id: UUID
    code_id: UUID
    code: str
    customer_id: UUID | None = None
    status: Literal["done", "cancelled"]
    currency: str
    order_minor: int
    discount_minor: int
    reference: str | None = None
    redeemed_at: datetime
    cancelled_at: datetime | None = None


class VoucherRedeemed(Event):
    """A code was used. Key: the customer, or the code."""

    type: ClassVar[str] = "customer.voucher_redeemed"
    redemption: VoucherRedemptionState


class VoucherRedemptionCancelled(Event):
    """A use of a code does not count any more. Key: the customer, or the code."""

    type: ClassVar[str] = "customer.voucher_redemption_cancelled"
    redemption: VoucherRedemptionState
