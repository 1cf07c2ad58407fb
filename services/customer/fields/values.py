"""What may stand in a field of a type, and what it is found by. Pure functions."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from pydantic import HttpUrl, TypeAdapter, ValidationError

from services.customer.fields.record import CustomField, FieldType
from shared.moments import YEARS
from shared.money import Money, MoneyError
from shared.text import search_key

Key = str | int | date
"""What a value is found and sorted by."""

LONGEST_TEXT: Final = 1000
LONGEST_KEY: Final = 200
LONGEST_URL: Final = 500
LARGEST_NUMBER: Final = 10**12
MILLION: Final = 10**6
"""Numbers are found by their millionths: whole, exact and ordered as they are."""

LARGEST_AMOUNT: Final = 10**15
"""In minor units: what a JSON number holds to its last digit."""
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_URL: Final = TypeAdapter(HttpUrl)


class ValueFault(ValueError):
    """Why something is not a value of a field; `code` is stable."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Value:
    """A value as the customer's attributes keep it, and what it is found by."""

    kept: Any
    keys: tuple[Key, ...]


def read_value(field: CustomField, raw: Any) -> Value:
    """What somebody has said of a field. Raises ValueFault."""
    return _READERS[field.type](field, raw)


def text_key(text: str) -> str:
    """What a text is found by: without accents and case, and its beginning only."""
    return search_key(text)[:LONGEST_KEY]


def _text(field: CustomField, raw: Any) -> Value:
    if not isinstance(raw, str) or not raw.strip():
        raise ValueFault("text", "A text that is not empty is expected")
    most = LONGEST_KEY if field.is_unique else LONGEST_TEXT
    if len(raw) > most:
        raise ValueFault("too_long", f"{most} characters at most")
    return Value(raw, (text_key(raw),))


def _number(_field: CustomField, raw: Any) -> Value:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
        raise ValueFault("number", "A number is expected")
    if abs(raw) > LARGEST_NUMBER:
        raise ValueFault("number_range", "Between -10^12 and 10^12")
    return Value(raw, (number_key(raw),))


def number_key(number: float) -> int:
    """What a number is found by, rounded half to even."""
    return round(Decimal(str(number)) * MILLION)


def _money(field: CustomField, raw: Any) -> Value:
    """An amount in major units, kept as a number: so rules of segments compare it."""
    minor = minor_units(field, raw)
    amount = Decimal(Money(minor, field.currency or "").decimal_string())
    is_whole = amount == amount.to_integral_value()
    return Value(int(amount) if is_whole else float(amount), (minor,))


def minor_units(field: CustomField, raw: Any) -> int:
    """An amount, as a number or a decimal text, in minor units. Raises ValueFault."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise ValueFault("money", f"An amount of {field.currency} is expected")
    text = raw if isinstance(raw, str) else _plain_decimal(raw)
    try:
        minor = Money.parse(text, field.currency or "").amount_minor
    except MoneyError as error:
        raise ValueFault(error.code, str(error)) from error
    if abs(minor) > LARGEST_AMOUNT:
        raise ValueFault("money_out_of_range", "At most 10^15 minor units")
    return minor


def _plain_decimal(number: float) -> str:
    if not math.isfinite(number):
        raise ValueFault("money", "An amount is expected")
    return format(Decimal(str(number)).normalize(), "f")


def _date(_field: CustomField, raw: Any) -> Value:
    day = read_day(raw)
    return Value(day.isoformat(), (day,))


def read_day(raw: Any) -> date:
    """A day as it is written: 2026-02-28. Raises ValueFault."""
    try:
        if not isinstance(raw, str) or not _DAY.fullmatch(raw):
            raise ValueError
        day = date.fromisoformat(raw)
    except ValueError as error:
        raise ValueFault("date", "A day is expected, written as 2026-02-28") from error
    if day.year not in YEARS:
        raise ValueFault("date", f"A year from {YEARS[0]} to {YEARS[-1]} is expected")
    return day


def _boolean(_field: CustomField, raw: Any) -> Value:
    if not isinstance(raw, bool):
        raise ValueFault("boolean", "True or false is expected")
    return Value(raw, ("true" if raw else "false",))


def _enum(field: CustomField, raw: Any) -> Value:
    if not isinstance(raw, str) or raw not in field.option_values:
        raise _not_an_option(field)
    return Value(raw, (raw,))


def _multi_enum(field: CustomField, raw: Any) -> Value:
    options = field.option_values
    if not isinstance(raw, list) or any(value not in options for value in raw):
        raise _not_an_option(field)
    chosen = tuple(dict.fromkeys(raw))
    return Value(list(chosen), chosen)


def _not_an_option(field: CustomField) -> ValueFault:
    return ValueFault("option", f"Options are {_few(field.option_values)}")


def _few(values: Iterable[str]) -> str:
    listed = list(values)
    return ", ".join(listed[:10]) + (" …" if len(listed) > 10 else "")


def _url(_field: CustomField, raw: Any) -> Value:
    if not isinstance(raw, str) or len(raw) > LONGEST_URL or any(c.isspace() for c in raw):
        raise ValueFault("url", f"A web address of at most {LONGEST_URL} characters is expected")
    try:
        _URL.validate_python(raw)
    except ValidationError as error:
        raise ValueFault("url", "A web address is expected: https://…") from error
    return Value(raw, (raw,))


_READERS: Final[Mapping[FieldType, Callable[[CustomField, Any], Value]]] = {
    "text": _text,
    "number": _number,
    "money": _money,
    "date": _date,
    "boolean": _boolean,
    "enum": _enum,
    "multi_enum": _multi_enum,
    "url": _url,
}
