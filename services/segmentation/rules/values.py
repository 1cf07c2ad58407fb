"""Single values of a rule's JSON, made exact and bounded; what cannot be used is a fault."""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeVar

from pydantic import JsonValue

from services.segmentation.rules.errors import FaultError
from services.segmentation.rules.moments import Duration
from services.segmentation.rules.tree import Boundary
from shared.money import Money, MoneyError, currency_exponent
from shared.text import nfc, search_key

LIST_LIMIT = 1_000
TEXT_LIMIT = 500
LARGEST_NUMBER = 10**15
DECIMALS = 9
YEARS = range(1900, 2201)

T = TypeVar("T")
Dated = TypeVar("Dated", date, datetime)

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def text(value: JsonValue) -> str:
    """A text as it is stored: NFC, not empty, no control characters. Raises FaultError."""
    if not isinstance(value, str) or not value:
        raise FaultError("value", "value_type", "a text is expected")
    if len(value) > TEXT_LIMIT:
        raise FaultError("value", "value_range", f"at most {TEXT_LIMIT} characters")
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in value):
        raise FaultError("value", "value_type", "control characters are not allowed")
    return nfc(value)


def number(value: JsonValue) -> Decimal:
    """A bounded decimal number. Raises FaultError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FaultError("value", "value_type", "a number is expected")
    if not abs(value) <= LARGEST_NUMBER:  # NaN is not, either
        raise FaultError("value", "value_range", "between -10^15 and 10^15")
    decimal = Decimal(str(value))
    if decimal != round(decimal, DECIMALS):
        raise FaultError("value", "value_range", f"at most {DECIMALS} digits after the point")
    return decimal


def minor_units(value: JsonValue) -> int:
    """The minor units of `{"amount": "1250000", "currency": "VND"}`. Raises FaultError."""
    currency = currency_of(value)
    amount = value.get("amount") if isinstance(value, dict) else None
    if not isinstance(amount, str):
        raise FaultError("value/amount", "value_type", "a decimal text is expected")
    try:
        return Money.parse(amount, currency).amount_minor
    except MoneyError as error:
        raise FaultError("value/amount", error.code, str(error)) from error


def currency_of(value: JsonValue) -> str:
    """The currency of an amount, or of the first of several. Raises FaultError."""
    first = value[0] if isinstance(value, list) and value else value
    if not isinstance(first, dict) or set(first) != {"amount", "currency"}:
        raise FaultError("value", "value_type", "an amount and its currency are expected")
    currency = first["currency"]
    if not isinstance(currency, str):
        raise FaultError("value/currency", "value_type", "an ISO 4217 code is expected")
    try:
        currency_exponent(currency)
    except MoneyError as error:
        raise FaultError("value/currency", error.code, str(error)) from error
    return currency


def day(value: JsonValue) -> date:
    """A calendar day `2026-11-21`. Raises FaultError."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise FaultError("value", "value_type", "a day (YYYY-MM-DD) is expected")
    try:
        parsed = date.fromisoformat(value)
    except ValueError:
        raise FaultError("value", "value_range", "there is no such day") from None
    return _bounded(parsed)


def boundary(value: JsonValue) -> Boundary:
    """A calendar day, or an instant with its offset (RFC 3339). Raises FaultError."""
    if isinstance(value, str) and not _DAY.fullmatch(value):
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            raise FaultError("value", "value_type", "a day or an instant is expected") from None
        if instant.tzinfo is None:
            raise FaultError("value", "value_type", "the instant needs an offset")
        return _bounded(instant).astimezone(UTC)
    return day(value)


def _bounded(when: Dated) -> Dated:
    if when.year not in YEARS:
        raise FaultError("value", "value_range", f"from {YEARS[0]} to {YEARS[-1]}")
    return when


def duration(value: JsonValue, *, calendar_only: bool = False) -> Duration:
    """An ISO 8601 duration, of whole days if `calendar_only`. Raises FaultError."""
    if not isinstance(value, str):
        raise FaultError("value", "duration", "an ISO 8601 duration is expected")
    try:
        parsed = Duration.parse(value)
    except ValueError as error:
        raise FaultError("value", "duration", str(error)) from error
    if calendar_only and parsed.exact is not None:
        raise FaultError("value", "duration", "a date needs whole days (P30D)")
    return parsed


def key(value: JsonValue) -> str:
    """The search key of a text that has one. Raises FaultError."""
    searched = search_key(text(value))
    if not searched:
        raise FaultError("value", "value_type", "a text with a letter or a digit is expected")
    return searched


def listed(value: JsonValue, read: Callable[[JsonValue], T]) -> tuple[T, ...]:
    """Each of a bounded list of values, read by `read`. Raises FaultError at its index."""
    if not isinstance(value, list) or not value:
        raise FaultError("value", "value_type", "a list of values is expected")
    if len(value) > LIST_LIMIT:
        raise FaultError("value", "value_range", f"at most {LIST_LIMIT} values")
    items = []
    for index, item in enumerate(value):
        try:
            items.append(read(item))
        except FaultError as fault:
            at = fault.at.replace("value", f"value/{index}", 1)
            raise FaultError(at, fault.code, fault.detail) from fault
    return tuple(items)


def pair(value: JsonValue) -> tuple[JsonValue, JsonValue]:
    """The two ends of `between`. Raises FaultError."""
    if not isinstance(value, list) or len(value) != 2:
        raise FaultError("value", "value_type", "two values are expected")
    return value[0], value[1]
