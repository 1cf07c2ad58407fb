"""Relative time: what "the last 30 days" means at an instant, in a time zone.

A duration of days, weeks, months or years counts calendar days: at any time of 31 May, the last
30 days began when 1 May began where the shop is. A duration of hours, minutes or seconds is exact:
the last 36 hours began 36 hours ago. Both are reduced to one `cutoff`, the newest instant that is
already outside, so that SQL and Python compare with the same value and no database clock, time
zone setting or day arithmetic takes part.
"""

import re
from calendar import isleap, monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cached_property

TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
LONGEST_DAYS = 36_600

_CALENDAR = re.compile(
    r"P(?=.)(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?", re.ASCII
)
_EXACT = re.compile(r"PT(?=.)(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,10})S)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Duration:
    """An ISO 8601 duration: either whole calendar days or exact time, never a mixture."""

    text: str
    months: int = 0
    days: int = 0
    exact: timedelta | None = None

    @classmethod
    def parse(cls, text: str) -> "Duration":
        """Read `P1Y2M`, `P2W`, `P30D` or `PT36H`.

        Raises ValueError for anything else, a mixture of both kinds, or more than 100 years.
        """
        if match := _CALENDAR.fullmatch(text):
            years, months, weeks, days = (int(part or 0) for part in match.groups())
            duration = cls(text, months=years * 12 + months, days=weeks * 7 + days)
        elif match := _EXACT.fullmatch(text):
            hours, minutes, seconds = (int(part or 0) for part in match.groups())
            duration = cls(text, exact=timedelta(hours=hours, minutes=minutes, seconds=seconds))
        else:
            raise ValueError("neither whole days (P30D) nor exact time (PT36H)")
        if duration.length > timedelta(days=LONGEST_DAYS):
            raise ValueError("longer than 100 years")
        return duration

    @property
    def length(self) -> timedelta:
        """Roughly how long, for bounds; a month counts 30.5 days."""
        return self.exact or timedelta(days=self.days + self.months * 30.5)

    def before(self, day: date) -> date:
        """The day this many calendar days before `day`; a missing 31st is the month's last."""
        return add_months(day, -self.months) - timedelta(days=self.days)

    def first_day_out(self, day: date) -> date:
        """The first day on which `day` lies more than this duration back."""
        out = add_months(day + timedelta(days=self.days), self.months)
        # Months of different length make `before` stand still for a few days.
        while self.before(out) <= day:
            out += DAY
        return out


@dataclass(frozen=True)
class Moment:
    """The instant a rule is asked about, seen from the shop's time zone."""

    as_of: datetime
    timezone: tzinfo

    @cached_property
    def today(self) -> date:
        """The shop's calendar day."""
        return self.day_of(self.as_of)

    def midnight(self, day: date) -> datetime:
        """The instant, in UTC, at which `day` begins in the shop."""
        return datetime.combine(day, time.min, tzinfo=self.timezone).astimezone(UTC)

    def day_of(self, instant: datetime) -> date:
        """The shop's calendar day at `instant`: the last one whose `midnight` is past."""
        # A clock change just after midnight sets the new day back into the old one.
        day = instant.astimezone(self.timezone).date()
        if self.midnight(day + DAY) <= instant:
            return day + DAY
        return day

    def first_day(self, duration: Duration) -> date:
        """The first calendar day of the last `duration`, today being its last."""
        return duration.before(self.today)

    def cutoff(self, duration: Duration) -> datetime:
        """The newest instant that lies more than `duration` back."""
        if duration.exact is not None:
            return self.as_of - duration.exact
        return self.midnight(self.first_day(duration)) - TICK

    def passes_out(self, instant: datetime, duration: Duration) -> datetime:
        """The first moment at which `instant` lies more than `duration` back."""
        if duration.exact is not None:
            return instant + duration.exact
        return self.midnight(duration.first_day_out(self.day_of(instant)))


def add_months(day: date, months: int) -> date:
    """`day` moved by calendar months, to the month's last day where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def age_on(today: date, birth_date: date) -> int | None:
    """Full years lived; None for a birth date that is still to come."""
    if birth_date > today:
        return None
    return today.year - birth_date.year - (month_day(today) < month_day(birth_date))


def month_day(day: date) -> int:
    """The place in the year as one number: 14 February is 214."""
    return day.month * 100 + day.day


def anniversaries(first: date, last: date) -> frozenset[int]:
    """The `month_day`s that are celebrated on a day from `first` to `last`.

    Who was born on 29 February celebrates on the 28th in common years.
    """
    return _month_days(first, last, stand_in=228)


def birthdays(first: date, last: date) -> frozenset[int]:
    """The `month_day`s of birth that make someone a year older on a day from `first` to `last`.

    Who was born on 29 February is a year older on 1 March in common years, as `age_on` has it.
    """
    return _month_days(first, last, stand_in=301)


def anniversary_in(year: int, day: date) -> date:
    """The day in `year` on which `day` is celebrated."""
    return date(year, 2, 28) if _is_missing(day, year) else day.replace(year=year)


def birthday_in(year: int, birth_date: date) -> date:
    """The day in `year` on which a person born on `birth_date` is a year older."""
    return date(year, 3, 1) if _is_missing(birth_date, year) else birth_date.replace(year=year)


def _month_days(first: date, last: date, *, stand_in: int) -> frozenset[int]:
    length = min((last - first).days, 366)
    days = [first + timedelta(days=n) for n in range(length + 1)]
    keys = {month_day(day) for day in days}
    if any(month_day(day) == stand_in and not isleap(day.year) for day in days):
        keys.add(229)
    return frozenset(keys)


def _is_missing(day: date, year: int) -> bool:
    return month_day(day) == 229 and not isleap(year)
