"""Single cells of people's spreadsheets, read. Pure functions; what cannot be read raises."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from services.customer.customers.record import Gender
from shared.text import search_key

DateOrder = Literal["dmy", "mdy", "ymd"]
_EMPTY: Final = frozenset({"", "-", "--", "n/a", "#n/a", "null", "none", "nan", "#value!", "#ref!"})
_NOTHING_BELOW: Final = max(map(len, _EMPTY))
_GENDERS: Final[dict[str, Gender]] = {
    **dict.fromkeys(("nam", "male", "m", "man", "anh", "ong", "trai", "boy", "mr"), "male"),
    **dict.fromkeys(
        ("nu", "female", "f", "woman", "chi", "ba", "co", "gai", "girl", "ms", "mrs"), "female"
    ),
    **dict.fromkeys(("khac", "other", "o", "x", "lgbt"), "other"),
}
_YES: Final = frozenset(
    {"1", "yes", "y", "true", "t", "x", "co", "dong y", "ok", "granted", "subscribed", "nhan"}
)
_NO: Final = frozenset(
    {"0", "no", "n", "false", "f", "khong", "tu choi", "withdrawn", "unsubscribed", "khong nhan"}
)
_NUMBERS: Final = re.compile(r"\D+")
_YEAR: Final = re.compile(r"(19|20)\d\d")
_SERIAL: Final = re.compile(r"(\d{4,5})(?:\.\d+)?")
_DAY_AND_TIME: Final = re.compile(
    r"(?P<day>[^ T]+)(?:[ T]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?\S*)?"
)
# Day 60 of a spreadsheet is 29 February 1900, which never was; so day 0 is one day early.
_SPREADSHEET_DAY_0: Final = date(1899, 12, 30)
_SERIALS: Final = range(3000, 100_000)
_TAG_SEPARATOR: Final = re.compile(r"[,;|\n]+")


class CellProblem(Exception):
    """The cell does not say what its column is for; `code` is what the outcome says."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def is_empty(cell: str) -> bool:
    """Whether a cell says nothing, as people and spreadsheets write that."""
    return not cell or (len(cell) <= _NOTHING_BELOW and cell.strip().lower() in _EMPTY)


def read_gender(cell: str) -> Gender:
    """Raises CellProblem."""
    gender = _GENDERS.get(search_key(cell).rstrip("."))
    if gender is None:
        raise CellProblem("gender_not_known")
    return gender


def read_answer(cell: str) -> bool:
    """Yes or no. Raises CellProblem: what is neither is no consent."""
    key = search_key(cell)
    if key in _YES:
        return True
    if key in _NO:
        return False
    raise CellProblem("answer_not_known")


def read_birth(cell: str, *, order: DateOrder, today: date) -> date | int:
    """The day of birth, or the year where no more is told. Raises CellProblem."""
    text = cell.strip()
    if _YEAR.fullmatch(text):
        if int(text) > today.year:
            raise CellProblem("birth_date_not_valid")
        return int(text)
    try:
        day = read_day(text, order=order)
    except CellProblem as problem:
        raise CellProblem("birth_date_not_valid") from problem
    if not day.year >= 1900 or day > today:
        raise CellProblem("birth_date_not_valid")
    return day


def read_day(cell: str, *, order: DateOrder) -> date:
    """A day: with its year first or last, or as a spreadsheet counts days. Raises CellProblem."""
    text = cell.strip()
    serial = _SERIAL.fullmatch(text)
    if serial is not None and int(serial[1]) in _SERIALS:
        return _SPREADSHEET_DAY_0 + timedelta(days=int(serial[1]))
    found = _DAY_AND_TIME.fullmatch(text)
    numbers = _NUMBERS.split(found["day"].strip(".")) if found else []
    if len(numbers) != 3 or not all(0 < len(number) <= 4 for number in numbers):
        raise CellProblem("date_not_valid")
    if len(numbers[0]) == 4:
        year, month, day = numbers
    elif order == "mdy":
        month, day, year = numbers
    elif order == "ymd":
        year, month, day = numbers
    else:
        day, month, year = numbers
    try:
        return date(_full_year(year), int(month), int(day))
    except ValueError as error:
        raise CellProblem("date_not_valid") from error


def read_instant(cell: str, *, order: DateOrder, zone: ZoneInfo) -> datetime:
    """A moment as the shop's clocks show it; a day alone begins at midnight. Raises CellProblem."""
    text = cell.strip()
    day = read_day(text, order=order)
    found = _DAY_AND_TIME.fullmatch(text)
    at = time()
    if found is not None and found["hour"] is not None:
        try:
            at = time(int(found["hour"]), int(found["minute"]), int(found["second"] or 0))
        except ValueError as error:
            raise CellProblem("date_not_valid") from error
    if day.year not in range(1970, 2200):
        raise CellProblem("date_not_valid")
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def split_tags(cell: str) -> list[str]:
    """The words of a cell of tags."""
    return [tag.strip() for tag in _TAG_SEPARATOR.split(cell) if tag.strip()]


def _full_year(year: str) -> int:
    if len(year) == 4:
        return int(year)
    if len(year) != 2:
        raise ValueError(year)
    return int(year) + (1900 if int(year) > 30 else 2000)
