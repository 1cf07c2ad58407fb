"""By when a request of a person has to be answered, law by law. Pure.

- `vn_pdpl`: Law 91/2025/QH15 with Decree 356/2025/ND-CP, in force since 2026-01-01.
- `eu_gdpr`: Regulation (EU) 2016/679, Art. 12(3).

Days are counted from the day after the receipt, in the shop's own zone, and end with it. A law that
can be read in two ways is read in the way that leaves less time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from shared.contracts.privacy import PrivacyRequestKind
from shared.holidays import UnknownCountryError, extra_working_days, public_holidays

LawName = Literal["vn_pdpl", "eu_gdpr"]
_ONE_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5
_EUROPE: Final = frozenset(
    {
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR"),
        *("HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO"),
        *("SE", "SI", "SK"),
    }
)


@dataclass(frozen=True, slots=True)
class Terms:
    """How long it may take: alone, where others hold the data too, and once more if extended."""

    days: int = 0
    days_with_processor: int = 0
    extension_days: int = 0
    months: int = 0
    extension_months: int = 0


@dataclass(frozen=True, slots=True)
class Law:
    """What a law says of requests."""

    acknowledge_working_days: int | None
    terms: Mapping[PrivacyRequestKind, Terms]


@dataclass(frozen=True, slots=True)
class Deadlines:
    """By when a request must be acknowledged, where the law asks for that, and answered."""

    acknowledge_by: datetime | None
    due_at: datetime


_ONE_MONTH: Final = Terms(months=1, extension_months=2)
_OBEY: Final = Terms(days=15, days_with_processor=20, extension_days=15)
_SHOW: Final = Terms(days=10, days_with_processor=15, extension_days=10)
_DELETE: Final = Terms(days=20, days_with_processor=30, extension_days=20)
LAWS: Final[Mapping[LawName, Law]] = {
    "vn_pdpl": Law(
        acknowledge_working_days=2,
        terms={
            "access": _SHOW,
            "portability": _SHOW,
            "rectification": _SHOW,
            "restriction": _OBEY,
            "objection": _OBEY,
            "withdrawal": _OBEY,
            "erasure": _DELETE,
        },
    ),
    "eu_gdpr": Law(
        acknowledge_working_days=None,
        terms={
            "access": _ONE_MONTH,
            "portability": _ONE_MONTH,
            "rectification": _ONE_MONTH,
            "restriction": _ONE_MONTH,
            "objection": _ONE_MONTH,
            "withdrawal": _ONE_MONTH,
            "erasure": _ONE_MONTH,
        },
    ),
}


def law_of(country: str) -> LawName:
    """The law that a shop of this country goes by: Vietnam's where no other is known."""
    return "eu_gdpr" if country in _EUROPE else "vn_pdpl"


def deadlines(
    law: LawName,
    kind: PrivacyRequestKind,
    received_at: datetime,
    *,
    with_processor: bool,
    timezone: str,
    country: str,
) -> Deadlines:
    """By when a request that came at a moment has to be acknowledged and answered."""
    zone = ZoneInfo(timezone)
    day = received_at.astimezone(zone).date()
    rules = LAWS[law]
    terms = rules.terms[kind]
    days = terms.days_with_processor if with_processor else terms.days
    due = _months_later(day, terms.months) + timedelta(days=days)
    working_days = rules.acknowledge_working_days
    return Deadlines(
        acknowledge_by=(
            _end_of(working_days_later(day, working_days, country=country), zone)
            if working_days is not None
            else None
        ),
        due_at=_end_of(due, zone),
    )


def extended(
    law: LawName, kind: PrivacyRequestKind, due_at: datetime, *, timezone: str
) -> datetime:
    """Until when an answer may be put off, once, with a reason."""
    zone = ZoneInfo(timezone)
    terms = LAWS[law].terms[kind]
    last_day = (due_at.astimezone(zone) - _ONE_DAY).date()
    later = _months_later(last_day, terms.extension_months) + timedelta(days=terms.extension_days)
    return _end_of(later, zone)


def working_days_later(day: date, count: int, *, country: str) -> date:
    """The day that is so many working days after another, which does not count itself."""
    while count:
        day += _ONE_DAY
        count -= is_working_day(day, country=country)
    return day


def is_working_day(day: date, *, country: str) -> bool:
    """Whether offices of a country work on a day: Monday to Friday, but for public holidays."""
    try:
        if day in extra_working_days(country, (day.year,)):
            return True
        is_holiday = day in public_holidays(country, (day.year,))
    except UnknownCountryError:
        is_holiday = False
    return day.weekday() < _SATURDAY and not is_holiday


def _end_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day + _ONE_DAY, time(), zone)


def _months_later(day: date, months: int) -> date:
    """The same day of a later month; its last day where it has no such day (Reg. 1182/71)."""
    year, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + year, month + 1, 1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return min(first + timedelta(days=day.day - 1), following - _ONE_DAY)
