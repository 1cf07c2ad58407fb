"""Opening hours as a shop states them, and the business calendar that they mean."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Annotated, Any, Final, Self
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from services.support_ticket.calendars.clock import BusinessCalendar, Hours, Interval
from shared.bodies import Body
from shared.holidays import UnknownCountryError, public_holidays
from shared.ids import TenantId

_WALL_TIME: Final = r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$"
# Holidays are looked up this far ahead of a clock's start; no target reaches further.
_YEARS_AHEAD: Final = 4
# With less, the longest target would reach further than the clock looks.
_LEAST_SECONDS_A_WEEK: Final = 4 * 3600

WallTime = Annotated[str, Field(pattern=_WALL_TIME, examples=["08:00"])]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("not an IANA time zone") from error
    return name


def _known_country(code: str | None) -> str | None:
    if code is not None:
        try:
            public_holidays(code, [2026])
        except UnknownCountryError as error:
            raise ValueError("no holidays are known for this country") from error
    return code


class OpenHours(Body):
    """Open from `opens` until `closes` of the same day; `24:00` is the end of the day."""

    model_config = ConfigDict(frozen=True)

    opens: WallTime
    closes: Annotated[str, Field(pattern=_WALL_TIME, examples=["21:00"])]

    @model_validator(mode="after")
    def _closes_later(self) -> Self:
        self.interval()
        return self

    def interval(self) -> Interval:
        """The same for the business clock. Raises ValueError unless it closes after it opens."""
        return Interval.parse(self.opens, self.closes)


DayHours = Annotated[tuple[OpenHours, ...], Field(max_length=8)]


class Week(Body):
    """The hours of each weekday, in order and apart; none means closed."""

    model_config = ConfigDict(frozen=True)

    monday: DayHours = ()
    tuesday: DayHours = ()
    wednesday: DayHours = ()
    thursday: DayHours = ()
    friday: DayHours = ()
    saturday: DayHours = ()
    sunday: DayHours = ()

    @classmethod
    def every_day(cls, opens: str, closes: str) -> Self:
        """A week with the same hours on all seven days."""
        hours = (OpenHours(opens=opens, closes=closes),)
        return cls(**dict.fromkeys(cls.model_fields, hours))

    def days(self) -> tuple[Hours, ...]:
        """Monday to Sunday."""
        return tuple(_hours(getattr(self, day)) for day in type(self).model_fields)


class OpeningHours(Body):
    """When a shop is open. `overrides` gives single dates their own hours and wins over the rest.

    On the public holidays of `holiday_country` the shop is closed.
    """

    model_config = ConfigDict(frozen=True)

    timezone: Annotated[
        str, Field(max_length=64, examples=["Asia/Ho_Chi_Minh"]), AfterValidator(_known_zone)
    ]
    weekly: Week
    holiday_country: Annotated[
        str | None,
        Field(pattern="^[A-Z]{2}$", examples=["VN"]),
        AfterValidator(_known_country),
    ] = None
    overrides: Annotated[dict[date, DayHours], Field(max_length=1000)] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_a_calendar(self) -> Self:
        open_seconds = sum(h.closes - h.opens for day in self.weekly.days() for h in day)
        if open_seconds < _LEAST_SECONDS_A_WEEK:
            raise ValueError("a week must have at least four open hours")
        self.calendar(years=())
        return self

    def calendar(self, *, years: tuple[int, ...]) -> BusinessCalendar:
        """The business calendar, with the holidays of `years`."""
        country = self.holiday_country
        return BusinessCalendar(
            zone=ZoneInfo(self.timezone),
            weekly=self.weekly.days(),
            holidays=frozenset(public_holidays(country, years)) if country else frozenset(),
            overrides={day: _hours(hours) for day, hours in self.overrides.items()},
        )


def _hours(hours: tuple[OpenHours, ...]) -> Hours:
    return tuple(entry.interval() for entry in hours)


@dataclass(frozen=True, slots=True)
class CalendarVersion:
    """One version of a tenant's calendar; versions never change, so its identity says it all."""

    tenant_id: TenantId
    calendar_id: UUID
    version: int
    definition: Mapping[str, Any] = field(compare=False, repr=False)

    def calendar(self, year: int) -> BusinessCalendar:
        """The business calendar for a clock that starts in `year`."""
        return _calendar(self, year)


@lru_cache(maxsize=2048)
def _calendar(version: CalendarVersion, year: int) -> BusinessCalendar:
    hours = OpeningHours.model_validate(version.definition)
    return hours.calendar(years=tuple(range(year - 1, year + _YEARS_AHEAD)))
