"""How long something is kept, on a shop's calendar. Pure.

A period is written as in ISO 8601 with one unit: `P30D`, `P24M`, `P10Y`. It is over when so many
whole days, months or years have followed the day on which the clock began.
"""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import Field

Period = Annotated[
    str,
    Field(
        pattern=r"^P([1-9][0-9]{0,3}[DM]|[1-9][0-9]?Y)$",
        description="Days, months or years, as in ISO 8601",
        examples=["P24M"],
    ),
]
_ONE_DAY: Final = timedelta(days=1)
_MONTHS: Final = {"M": 1, "Y": 12}


def over_before(period: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The moment before which a clock must have begun for its period to be over now."""
    today = now.astimezone(zone).date()
    return datetime.combine(_moved(today, period, back=True), time(), zone)


def over_at(period: str, began: datetime, zone: ZoneInfo) -> datetime:
    """When the period of a clock is over that began at a moment."""
    day = began.astimezone(zone).date()
    return datetime.combine(_moved(day, period) + _ONE_DAY, time(), zone)


def is_shorter(period: str, least: str, now: datetime, zone: ZoneInfo) -> bool:
    """Whether a period would be over before another."""
    return over_before(period, now, zone) > over_before(least, now, zone)


def _moved(day: date, period: str, *, back: bool = False) -> date:
    count = int(period[1:-1]) * (-1 if back else 1)
    if period.endswith("D"):
        return day + timedelta(days=count)
    year, month = divmod(day.year * 12 + day.month - 1 + count * _MONTHS[period[-1]], 12)
    first = date(year, month + 1, 1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return min(first + timedelta(days=day.day - 1), following - _ONE_DAY)
