"""Who gets a new customer. Pure functions.

Rules are tried in their order. The first one whose conditions the customer meets, and of whose
staff somebody is available, decides; its strategy says who of them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.text import search_key

Strategy = Literal["round_robin", "least_load", "fixed"]


class Newcomer(Protocol):
    """What rules look at of a customer."""

    @property
    def source(self) -> str:
        """Where the record comes from."""
        ...

    @property
    def province(self) -> str | None:
        """Where they live."""
        ...

    @property
    def tags(self) -> Collection[str]:
        """The shop's words for them."""
        ...

    @property
    def value_tier(self) -> str:
        """How much they have spent."""
        ...


@dataclass(frozen=True, slots=True)
class Facts:
    """A customer that there may be, to ask who would get them."""

    source: str
    province: str | None = None
    tags: Collection[str] = ()
    value_tier: str = "standard"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as it stands. Of each list in `conditions` one must fit; an empty one always does."""

    id: UUID
    name: str
    strategy: Strategy
    staff_ids: Sequence[UUID]
    conditions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    on_shift_only: bool = False
    skills: Collection[str] = ()
    last_staff_id: UUID | None = None

    def fits(self, newcomer: Newcomer) -> bool:
        """Whether a customer meets every condition."""
        known: Mapping[str, Collection[str | None]] = {
            "sources": [newcomer.source],
            "provinces": _spelt(newcomer.province),
            "tags": newcomer.tags,
            "value_tiers": [newcomer.value_tier],
        }
        return all(
            not wanted or not _asked(name, wanted).isdisjoint(known[name])
            for name, wanted in self.conditions.items()
        )


def _asked(name: str, wanted: Sequence[str]) -> set[str | None]:
    """What a condition asks for, as a newcomer's word for it is compared."""
    return set(_spelt(*wanted) if name == "provinces" else wanted)


def _spelt(*provinces: str | None) -> list[str]:
    """Provinces are spelt with and without accents, in any case: every source does as it likes."""
    return [search_key(province) for province in provinces if province]


@dataclass(frozen=True, slots=True)
class Shift:
    """When somebody works, in minutes of a day of the week; 1 is Monday."""

    weekday: int
    starts_minute: int
    ends_minute: int

    def holds(self, local: datetime) -> bool:
        """Whether a time on the shop's clocks lies in it."""
        minute = local.hour * 60 + local.minute
        return (
            local.isoweekday() == self.weekday and self.starts_minute <= minute < self.ends_minute
        )


@dataclass(slots=True)
class Availability:
    """Who could take a customer now, and how many each has; it follows what is given."""

    active: Collection[UUID]
    on_shift: Collection[UUID] = ()
    loads: dict[UUID, int] = field(default_factory=dict)
    turns: dict[UUID, UUID] = field(default_factory=dict)
    """Whose turn it was last, by rule."""
    skills: Mapping[UUID, Collection[str]] = field(default_factory=dict)

    def of(self, rule: Rule) -> list[UUID]:
        """Who of the staff of a rule is there, in their order."""
        needed = set(rule.skills)
        there = [
            staff_id
            for staff_id in rule.staff_ids
            if staff_id in self.active and needed.issubset(self.skills.get(staff_id, ()))
        ]
        return [s for s in there if s in self.on_shift] if rule.on_shift_only else there


@dataclass(frozen=True, slots=True)
class Choice:
    """Who gets the customer, by which rule, and why."""

    owner_id: UUID
    rule_id: UUID
    explanation: Mapping[str, Any]


def on_shift(shifts: Mapping[UUID, Sequence[Shift]], *, now: datetime, timezone: str) -> set[UUID]:
    """Who works now, on the clocks of the shop."""
    local = now.astimezone(ZoneInfo(timezone))
    return {who for who, theirs in shifts.items() if any(shift.holds(local) for shift in theirs)}


def choose(rules: Sequence[Rule], newcomer: Newcomer, available: Availability) -> Choice | None:
    """Who gets a customer; None when no rule says. What is given is noted in `available`."""
    passed_over: list[dict[str, str]] = []
    for rule in rules:
        if not rule.fits(newcomer):
            passed_over.append({"rule": rule.name, "reason": "conditions_not_met"})
            continue
        candidates = available.of(rule)
        if not candidates:
            passed_over.append({"rule": rule.name, "reason": "nobody_available"})
            continue
        owner_id = _pick(rule, candidates, available)
        explanation: dict[str, Any] = {
            "rule": rule.name,
            "strategy": rule.strategy,
            "candidates": [str(staff_id) for staff_id in candidates],
            "passed_over": passed_over,
        }
        if rule.strategy == "least_load":
            explanation["loads"] = {str(s): available.loads.get(s, 0) for s in candidates}
        available.turns[rule.id] = owner_id
        available.loads[owner_id] = available.loads.get(owner_id, 0) + 1
        return Choice(owner_id, rule.id, explanation)
    return None


def _pick(rule: Rule, candidates: Sequence[UUID], available: Availability) -> UUID:
    if rule.strategy == "fixed":
        return candidates[0]
    if rule.strategy == "least_load":
        return min(candidates, key=lambda staff_id: available.loads.get(staff_id, 0))
    last = available.turns.get(rule.id, rule.last_staff_id)
    if last is None or last not in rule.staff_ids:
        return candidates[0]
    # Who was last stays the mark even while away: after them comes the next who is there.
    place = list(rule.staff_ids).index(last)
    in_turn = [*rule.staff_ids[place + 1 :], *rule.staff_ids[: place + 1]]
    return next(staff_id for staff_id in in_turn if staff_id in candidates)
