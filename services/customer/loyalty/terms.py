"""How many points something earns, and when they can be spent. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

TierBasis = Literal["points", "spend"]

_MONTHS = 12
# However much an order was, and whatever the rules: sums of points and their worth stay countable.
_MOST_POINTS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`points` for each full `per_amount_minor` of an order, or for each time of an `event`."""

    id: UUID
    kind: Literal["order", "event"]
    points: int
    per_amount_minor: int | None
    event: str | None
    limit_per_customer: int | None
    active: bool
    starts_at: datetime | None
    ends_at: datetime | None

    def holds_at(self, instant: datetime) -> bool:
        """Whether it counts for what happened then; from its start, up to but without its end."""
        begun = self.starts_at is None or self.starts_at <= instant
        return self.active and begun and (self.ends_at is None or instant < self.ends_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """From `threshold` on (points, or minor units spent) orders earn `multiplier_percent`."""

    id: UUID
    name: str
    threshold: int
    multiplier_percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """What a shop promises, with its rules, and its tiers from the lowest up.

    `removed` are tiers that are no more, of those that were removed last.
    """

    name: str
    active: bool
    currency: str
    starts_at: datetime
    hold_days: int
    expires_after_months: int | None
    point_value_minor: int
    min_redemption: int
    tier_basis: TierBasis
    tier_window_months: int
    tier_grace_days: int
    expiry_notice_days: int | None
    timezone: ZoneInfo
    rules: tuple[Rule, ...]
    tiers: tuple[Tier, ...]
    removed: tuple[Tier, ...]

    def order_terms(self, placed_at: datetime) -> tuple[dict[str, Any], ...]:
        """What the orders of that moment earn, to be kept with what they earn."""
        return tuple(
            {
                "rule_id": str(rule.id),
                "points": rule.points,
                "per_amount_minor": rule.per_amount_minor,
            }
            for rule in self.rules
            if rule.kind == "order" and rule.holds_at(placed_at)
        )

    def event_rules(self, event: str, at: datetime) -> list[Rule]:
        """The rules by which an event of that moment earns."""
        return [rule for rule in self.rules if rule.event == event and rule.holds_at(at)]

    def available_at(self, earned_at: datetime) -> datetime:
        """When what is earned then can be spent: once the days of return are over.

        They end with a day of the shop's, so the day that follows begins it.
        """
        if not self.hold_days:
            return earned_at
        return self._start_of(self._day(earned_at) + timedelta(days=self.hold_days + 1))

    def expires_at(self, available_at: datetime) -> datetime | None:
        """When what can be spent from then on ends: with the day so many months later."""
        if self.expires_after_months is None:
            return None
        last = months_later(self._day(available_at), self.expires_after_months)
        return self._start_of(last + timedelta(days=1))

    def window_start(self, now: datetime) -> datetime:
        """From when on what was earned counts for tiers."""
        return self._start_of(months_later(self._day(now), -self.tier_window_months))

    def notice_until(self, now: datetime) -> datetime | None:
        """What expires until then is about to expire; None where nobody is told."""
        if self.expiry_notice_days is None:
            return None
        return now + timedelta(days=self.expiry_notice_days)

    def tier_of(self, value: int) -> Tier | None:
        """The highest tier that a value reaches."""
        reached = [tier for tier in self.tiers if tier.threshold <= value]
        return reached[-1] if reached else None

    def known_tier(self, tier_id: UUID | None) -> Tier | None:
        """The tier of an id, also one that is no more."""
        known = (*self.tiers, *self.removed)
        return next((tier for tier in known if tier.id == tier_id), None)

    def highest(self, tier_ids: Iterable[UUID]) -> Tier | None:
        """The highest of some tiers."""
        known = {tier.id for tier in self.tiers} & set(tier_ids)
        return next((tier for tier in reversed(self.tiers) if tier.id in known), None)

    def today(self, now: datetime) -> date:
        """The shop's day."""
        return self._day(now)

    def next_day(self, now: datetime) -> datetime:
        """When the shop's day is over."""
        return self._start_of(self._day(now) + timedelta(days=1))

    def _day(self, instant: datetime) -> date:
        return instant.astimezone(self.timezone).date()

    def _start_of(self, day: date) -> datetime:
        # What comes of it is told as it is, before any database has turned it into this.
        return datetime.combine(day, time(), tzinfo=self.timezone).astimezone(UTC)


def order_points(
    terms: Sequence[Mapping[str, Any]], amount_minor: int, multiplier_percent: int
) -> int:
    """What an order earns: each rule's points per full amount, times the tier, rounded down."""
    base = sum(amount_minor // term["per_amount_minor"] * term["points"] for term in terms)
    return min(int(base) * multiplier_percent // 100, _MOST_POINTS)


def months_later(day: date, months: int) -> date:
    """The same day of a later (or earlier) month, or its last if it has no such day."""
    number = day.year * _MONTHS + day.month - 1 + months
    first_of_next = date((number + 1) // _MONTHS, (number + 1) % _MONTHS + 1, 1)
    last = (first_of_next - timedelta(days=1)).day
    return date(number // _MONTHS, number % _MONTHS + 1, min(day.day, last))
