"""Instants and days as clients send them: written out, with an offset, in a plausible year.

The years keep clear of the ends of what Python and PostgreSQL can hold, where adding an offset or
a duration overflows. pydantic alone would also take numbers for seconds since 1970.
"""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

YEARS: Final = range(1900, 2201)
_DAY: Final = r"\d{4}-\d{2}-\d{2}"
_WRITTEN_DAY: Final = re.compile(_DAY, re.ASCII)
_WRITTEN_INSTANT: Final = re.compile(rf"{_DAY}[Tt ]\d{{2}}:\d{{2}}.*", re.ASCII)


def _written_instant(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and _WRITTEN_INSTANT.match(value)):
        return value
    raise PydanticCustomError("datetime_format", "Write it as in RFC 3339: 2026-02-28T08:30:00Z")


def _written_day(value: object) -> object:
    if isinstance(value, date) or (isinstance(value, str) and _WRITTEN_DAY.fullmatch(value)):
        return value
    raise PydanticCustomError("date_format", "Write it as in RFC 3339: 2026-02-28")


def _plausible_instant(instant: datetime) -> datetime:
    _check_year(instant)
    return instant.astimezone(UTC)


def _plausible_day(day: date) -> date:
    _check_year(day)
    return day


def _check_year(day: date) -> None:
    if day.year not in YEARS:
        raise PydanticCustomError(
            "year_range",
            "The year must lie between {first} and {last}",
            {"first": YEARS[0], "last": YEARS[-1]},
        )


Instant = Annotated[
    AwareDatetime, BeforeValidator(_written_instant), AfterValidator(_plausible_instant)
]
"""A moment, in UTC after validation."""

Day = Annotated[date, BeforeValidator(_written_day), AfterValidator(_plausible_day)]
"""A day of the calendar, wherever that is."""
