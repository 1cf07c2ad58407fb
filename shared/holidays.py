"""Public holidays by country and year: for Vietnam with the lunar ones and the yearly swaps."""

from collections.abc import Iterable
from datetime import date

import holidays


class UnknownCountryError(ValueError):
    """No holidays are known for this country."""


def public_holidays(
    country: str, years: Iterable[int], *, language: str | None = None
) -> dict[date, str]:
    """Return the public holidays of `country` (ISO 3166 code) in `years`: date to name, in order.

    Days off in lieu are included. Names are in `language` if the country's calendar has it, else in
    the country's own. Raises UnknownCountryError.
    """
    return dict(sorted(_calendar(country, years, language).items()))


def extra_working_days(country: str, years: Iterable[int]) -> frozenset[date]:
    """Return the weekend days of `years` on which offices work in exchange for a day off.

    Raises UnknownCountryError.
    """
    wanted = frozenset(years)
    workdays: set[date] = _calendar(country, wanted, None).weekend_workdays
    return frozenset(day for day in workdays if day.year in wanted)


def _calendar(country: str, years: Iterable[int], language: str | None) -> holidays.HolidayBase:
    try:
        calendar = holidays.country_holidays(country)
    except NotImplementedError as error:
        raise UnknownCountryError(country) from error
    if language not in calendar.supported_languages:
        # Named, because the package would otherwise follow the locale of the process.
        language = calendar.default_language
    return holidays.country_holidays(country, years=years, language=language, expand=False)
