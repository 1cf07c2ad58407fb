"""Birthdays by the Vietnamese lunar calendar (UTC+7; the Chinese one differs now and then).

`lunar_vn` rolls the 30th of a short month into the next and takes leap months that there were not,
so what it answers is converted back and compared.
"""

from datetime import date

from lunar_vn import LunarDate, lunar_to_solar, solar_to_lunar
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from shared.bodies import Body

_FIRST_YEAR, _LAST_YEAR = 1900, 2099


class LunarBirthday(Body):
    """A day of the lunar calendar; the year when it is known, then with a day by the sun, too."""

    day: int = Field(ge=1, le=30, examples=[15])
    month: int = Field(ge=1, le=12, examples=[8])
    leap_month: bool = False
    year: int | None = Field(default=None, ge=_FIRST_YEAR, le=_LAST_YEAR, examples=[1990])

    @model_validator(mode="after")
    def _was_a_day(self) -> "LunarBirthday":
        if self.year is not None and self.solar() is None:
            raise PydanticCustomError("no_such_lunar_day", "That year had no such day")
        return self

    def solar(self) -> date | None:
        """The day by the sun; None without a year, or when there was no such day."""
        if self.year is None:
            return None
        wanted = LunarDate(self.day, self.month, self.year, self.leap_month)
        try:
            found: date = lunar_to_solar(wanted)
            return found if solar_to_lunar(found) == wanted else None
        except ValueError:
            return None
