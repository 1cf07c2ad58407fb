"""Whether a person's time is over by a rule. Pure.

A person is judged as one, through all their records: the latest of them counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from services.customer.customers.record import CustomerRecord
from services.customer.retention.catalogue import (
    ATTRIBUTE,
    CONSENT_WITHDRAWN,
    CREATED,
    LAST_ACTIVITY,
    LAST_ORDER,
    RECORD,
)
from services.customer.retention.periods import over_at, over_before
from services.customer.retention.terms import Action, AppliesTo, Reason

# Whoever is held may be free the next night.
_TOMORROW: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """What a rule says, and the moment at which it is asked."""

    id: UUID
    data: tuple[str, ...]
    clock: str
    period: str
    action: Action
    applies_to: AppliesTo
    now: datetime
    zone: ZoneInfo
    accounts_period: str

    @property
    def over_before(self) -> datetime:
        """Whose clock began before that is due."""
        return over_before(self.period, self.now, self.zone)

    @property
    def accounts_since(self) -> datetime:
        """What was sold since has to be in the accounts.

        Time is counted from the end of the year (Decree 174/2016/ND-CP, Art. 15).
        """
        bound = over_before(self.accounts_period, self.now, self.zone)
        return bound.replace(month=1, day=1)

    def accounts_until(self, sold: datetime) -> datetime:
        """From when on the accounts need no more of what was sold at a moment."""
        year = sold.astimezone(self.zone).replace(month=12, day=31)
        return over_at(self.accounts_period, year, self.zone)

    @property
    def tomorrow(self) -> datetime:
        """When to look again at whoever may be free the next night."""
        return self.now + _TOMORROW

    @property
    def ends_the_person(self) -> bool:
        """Whether nothing is left of who is due."""
        return RECORD in self.data


@dataclass(frozen=True, slots=True)
class Person:
    """All records of somebody, the one that stands for them, and what protects their data."""

    root: CustomerRecord
    members: tuple[CustomerRecord, ...]
    is_held: bool = False
    has_asked: bool = False

    @property
    def member_ids(self) -> list[UUID]:
        """The ids of their records."""
        return [member.id for member in self.members]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Due since a clock began; with a reason, left alone until somebody looks again."""

    began: datetime
    reason: Reason | None = None
    look_again_at: datetime | None = None


def judge(person: Person, rule: RuleTerms) -> Judgement | None:
    """What a rule means for a person; None when it does not speak of them."""
    if person.root.erased_at is not None or not is_meant(person, rule.applies_to):
        return None
    began = clock_of(person, rule.clock, rule.zone)
    if began is None:
        return None
    if began >= rule.over_before:
        again = over_at(rule.period, began, rule.zone)
        return Judgement(began, "not_yet", max(again, rule.tomorrow))
    protected = protection_of(person)
    if protected is not None:
        return Judgement(began, protected, rule.tomorrow)
    sold = _latest(person, "last_order_at")
    if rule.ends_the_person and sold is not None and sold >= rule.accounts_since:
        return Judgement(began, "law", max(rule.accounts_until(sold), rule.tomorrow))
    return Judgement(began)


def protection_of(person: Person) -> Reason | None:
    """Why nothing of a person may be touched now, however old it is."""
    if person.is_held:
        return "legal_hold"
    if person.has_asked:
        return "privacy_request"
    if any(member.restricted_at is not None for member in person.members):
        return "restriction"
    return None


def clock_of(person: Person, clock: str, zone: ZoneInfo) -> datetime | None:
    """When a person's clock began; None when it has not."""
    if clock == CREATED:
        return _latest(person, "created_at")
    if clock == LAST_ORDER:
        return _latest(person, "last_order_at")
    if clock == LAST_ACTIVITY:
        return max(_activities(person))
    if clock == CONSENT_WITHDRAWN:
        return _withdrawn(person)
    return _latest_day(person, clock.removeprefix(ATTRIBUTE), zone)


def is_meant(person: Person, applies_to: AppliesTo) -> bool:
    """Whether a rule speaks of them: a lead is who has never bought."""
    has_bought = person.root.stage == "customer" or person.root.orders_count > 0
    return applies_to == "everybody" or has_bought == (applies_to == "customers")


def _latest(person: Person, name: str) -> datetime | None:
    moments = (getattr(member, name) for member in person.members)
    return max((moment for moment in moments if moment is not None), default=None)


def _latest_day(person: Person, key: str, zone: ZoneInfo) -> datetime | None:
    days = (_day(member.attributes.get(key), zone) for member in person.members)
    return max((day for day in days if day is not None), default=None)


def _activities(person: Person) -> Iterator[datetime]:
    for name in ("created_at", "last_order_at", "last_interaction_at"):
        moment = _latest(person, name)
        if moment is not None:
            yield moment
    for consent in person.root.consents:
        if consent["status"] == "granted":
            yield _moment(consent["changed_at"])


def _withdrawn(person: Person) -> datetime | None:
    consents = person.root.consents
    if any(consent["status"] == "granted" for consent in consents):
        return None
    return max((_moment(consent["changed_at"]) for consent in consents), default=None)


def _moment(written: str | datetime) -> datetime:
    return written if isinstance(written, datetime) else datetime.fromisoformat(written)


def _day(written: object, zone: ZoneInfo) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(str(written)), time(), zone)
    except ValueError:
        return None
