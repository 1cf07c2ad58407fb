"""The business clock: time that passes only while the shop is open.

A calendar says on local dates and wall times when a shop is open; due times and elapsed times are
measured between UTC instants, in real seconds. The bridge is one definition: a wall time begins *at
the first instant at which the local clock shows it or a later one*. So nothing is special where
clocks change: hours that begin inside a skipped hour begin when the clock jumps, and a time that is
shown twice counts when it is first shown.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Final, Self
from zoneinfo import ZoneInfo

_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
_SECONDS_PER_DAY: Final = 86_400
_DAYS_PER_WEEK: Final = 7
# A search that went on this long would never be what anybody meant.
_HORIZON: Final = timedelta(days=50 * 366)


class CalendarNeverOpensError(ValueError):
    """The calendar has no opening, or too little open time, in the 50 years after an instant."""

    def __init__(self, since: datetime) -> None:
        super().__init__(f"The calendar has not enough open time in the 50 years after {since}")
        self.since = since


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """Opening hours within one local day, in seconds after midnight: from `opens` until `closes`.

    `closes` may be 86,400, the end of the day. A night shift is two intervals on two days.
    """

    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not 0 <= self.opens < self.closes <= _SECONDS_PER_DAY:
            raise ValueError("An interval lies within one day and closes after it opens")

    @classmethod
    def parse(cls, opens: str, closes: str) -> Self:
        """Read two wall times such as "08:00" and "21:30:15"; "24:00" is the end of the day."""
        return cls(_second_of_day(opens), _second_of_day(closes))


def _second_of_day(text: str) -> int:
    if text in {"24:00", "24:00:00"}:
        return _SECONDS_PER_DAY
    wall = time.fromisoformat(text)
    if wall.tzinfo is not None or wall.microsecond:
        raise ValueError("A wall time has whole seconds and no time zone")
    return wall.hour * 3600 + wall.minute * 60 + wall.second


Hours = tuple[Interval, ...]
"""The opening hours of one day, in order and apart; empty when the shop stays closed."""


@dataclass(frozen=True, slots=True)
class Window:
    """One stretch of open time between two UTC instants; `closes` is the first closed one."""

    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """When a shop is open.

    `weekly` has the hours of Monday to Sunday. On `holidays` the shop is closed. `overrides` gives
    a date its own hours (a half day, an extra working day, or none) and wins over both.
    """

    zone: ZoneInfo
    weekly: tuple[Hours, ...]
    holidays: frozenset[date] = frozenset()
    overrides: Mapping[date, Hours] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.weekly) != _DAYS_PER_WEEK:
            raise ValueError("A week has seven days")
        for hours in (*self.weekly, *self.overrides.values()):
            if any(later.opens < earlier.closes for earlier, later in pairwise(hours)):
                raise ValueError("The intervals of a day must be in order and not overlap")

    @classmethod
    def every_day(cls, zone: ZoneInfo, *intervals: Interval) -> Self:
        """The calendar of a shop that has the same hours on all seven days."""
        return cls(zone=zone, weekly=(intervals,) * _DAYS_PER_WEEK)

    def hours_on(self, day: date) -> Hours:
        """Return the opening hours of the local date `day`."""
        if day in self.overrides:
            return self.overrides[day]
        return () if day in self.holidays else self.weekly[day.weekday()]

    def is_open(self, at: datetime) -> bool:
        """Tell whether the shop is open at `at`; at the very instant of closing it is not."""
        at = _utc(at)
        return any(window.opens <= at < window.closes for window in self._windows_about(at, at))

    def next_opening(self, at: datetime) -> datetime:
        """Return the first open instant not before `at`, in UTC: `at` itself while open.

        Raises CalendarNeverOpensError if there is none within 50 years.
        """
        at = _utc(at)
        for window in self.windows_from(at):
            return max(at, window.opens)
        raise CalendarNeverOpensError(at)

    def add_business_time(self, start: datetime, duration: timedelta) -> datetime:
        """Return the first instant, in UTC, with `duration` of open time between it and `start`.

        Time that runs out exactly at closing is due at closing, not at the next opening; a duration
        of zero is due at `start`. Raises ValueError for a negative duration, and
        CalendarNeverOpensError if the next 50 years have not that much open time.
        """
        if duration < timedelta(0):
            raise ValueError("Business time cannot be added backwards")
        start = _utc(start)
        if not duration:
            return start
        for window in self.windows_from(start):
            begins = max(start, window.opens)
            if begins + duration <= window.closes:
                return begins + duration
            duration -= window.closes - begins
        raise CalendarNeverOpensError(start)

    def business_time_between(self, a: datetime, b: datetime) -> timedelta:
        """Return the open time from `a` until `b`, in real seconds; negative if `b` comes first."""
        a, b = _utc(a), _utc(b)
        if b < a:
            return -self.business_time_between(b, a)
        return sum(
            (
                min(b, window.closes) - max(a, window.opens)
                for window in self._windows_about(a, b)
                if window.opens < b and a < window.closes
            ),
            start=timedelta(0),
        )

    def windows_from(self, at: datetime) -> Iterator[Window]:
        """Yield the windows still open at `at` or opening later, in order, for 50 years."""
        at = _utc(at)
        return (w for w in self._windows_about(at, at + _HORIZON) if w.closes > at)

    def _windows_about(self, first: datetime, last: datetime) -> Iterator[Window]:
        """Yield, in order, the windows of all local dates that the two instants can touch."""
        day = first.astimezone(self.zone).date()
        # A clock turned back across midnight shows yesterday's date while today's hours go on.
        until = last.astimezone(self.zone).date() + _DAY
        while day <= until:
            for interval in self.hours_on(day):
                opens, closes = (self._instant(day, at) for at in (interval.opens, interval.closes))
                if opens < closes:  # Hours that fall whole into a skipped hour do not exist.
                    yield Window(opens, closes)
            day += _DAY

    def _instant(self, day: date, second: int) -> datetime:
        """Return the first instant at which the local clock shows that time or a later one."""
        wall = datetime.combine(day, time()) + second * _SECOND
        at = wall.replace(tzinfo=self.zone).astimezone(UTC)  # fold=0: the first of two.
        return at if self._wall(at) == wall else self._end_of_gap(wall)

    def _end_of_gap(self, wall: datetime) -> datetime:
        """Return the instant at which the clock jumps over `wall`, a time that it never shows."""
        # Read with the offset that follows the jump, `wall` comes before it; with the other, after.
        before = wall.replace(tzinfo=self.zone, fold=1).astimezone(UTC)
        after = wall.replace(tzinfo=self.zone, fold=0).astimezone(UTC)
        seconds = range((after - before) // _SECOND)
        jump = bisect_left(seconds, wall, key=lambda second: self._wall(before + second * _SECOND))
        return before + jump * _SECOND

    def _wall(self, at: datetime) -> datetime:
        return at.astimezone(self.zone).replace(tzinfo=None)


def _utc(at: datetime) -> datetime:
    # Not a formality: Python compares two datetimes of one zone by their wall times, DST or not.
    if at.tzinfo is None:
        raise ValueError("An instant needs a time zone")
    return at.astimezone(UTC)
