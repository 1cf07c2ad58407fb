"""From an operator and the JSON beside it to a typed condition."""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeVar

from babel.numbers import get_currency_precision, is_currency
from pydantic import JsonValue

from services.segmentation.rules.catalog import NEGATIVE, Kind, Op
from services.segmentation.rules.errors import Fault
from services.segmentation.rules.moments import DAY, TICK, Duration
from services.segmentation.rules.tree import (
    Anniversary,
    Boundary,
    Check,
    Condition,
    Contains,
    Covers,
    Equals,
    Known,
    OlderThan,
    OneOf,
    Overlaps,
    Period,
    Range,
    Scalar,
    StartsWith,
    Within,
)
from shared.text import nfc, search_key

LIST_LIMIT = 1_000
TEXT_LIMIT = 500
LARGEST_NUMBER = Decimal(10) ** 15
SMALLEST_STEP = -9  # digits after the point
YEARS = range(1900, 2201)
LONGEST_ANNIVERSARY = 366

T = TypeVar("T")

_AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,4})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_VALUELESS = frozenset({Op.EXISTS, Op.NOT_EXISTS})


def read_check(kind: Kind, op: Op, value: JsonValue, *, require_known: bool) -> Check:
    """The check that `op` and `value` ask of a value of `kind`. Raises Fault."""
    if require_known and op not in NEGATIVE:
        raise Fault("require_known", "require_known_not_allowed", f"{op} never keeps unknowns")
    if op in _VALUELESS:
        if value is not None:
            raise Fault("value", "value_not_allowed", f"{op} takes no value")
    elif value is None:
        raise Fault("value", "value_missing", f"{op} needs a value")
    resolved = _kind_of_attribute(op, value) if kind is Kind.DYNAMIC else kind
    return Check(
        op=op,
        kind=resolved,
        condition=_condition(resolved, op, value),
        negated=op in NEGATIVE or op is Op.NOT_EXISTS,
        require_known=require_known,
        expected=value,
        currency=_currency_of(value) if resolved is Kind.MONEY else None,
    )


def read_window(bounds: list[str]) -> Period:
    """The period from the first of `bounds` to the second, if given. Raises Fault."""
    return _period(*(boundary(bound) for bound in bounds))


def _condition(kind: Kind, op: Op, value: JsonValue) -> Condition:
    match op:
        case Op.EXISTS | Op.NOT_EXISTS:
            return Known()
        case Op.EQ | Op.NE:
            return Equals(scalar(kind, value))
        case Op.IN | Op.NOT_IN:
            return OneOf(_list(value, lambda item: scalar(kind, item)))
        case Op.ANY_OF | Op.NONE_OF:
            return Overlaps(_list(value, text))
        case Op.ALL_OF:
            return Covers(_list(value, text))
        case Op.CONTAINS | Op.NOT_CONTAINS:
            return Contains(_key(value))
        case Op.STARTS_WITH:
            return StartsWith(_key(value))
        case Op.ANNIVERSARY_WITHIN:
            return _anniversary(value)
        case Op.WITHIN_LAST:
            return Within(duration(value, calendar_only=kind is Kind.DATE))
        case Op.MORE_THAN_AGO:
            return OlderThan(duration(value, calendar_only=kind is Kind.DATE))
        case _:
            return _interval(kind, op, value)


def _interval(kind: Kind, op: Op, value: JsonValue) -> Range | Period:
    if op is Op.BETWEEN:
        low, high = _pair(value)
        return _instants_between(low, high) if kind is Kind.INSTANT else _between(kind, low, high)
    if kind is Kind.INSTANT:
        edge = boundary(value)
        return Period(end=edge) if op is Op.BEFORE else Period(start=_after(edge))
    bound = _comparable(kind, value)
    match op:
        case Op.GT | Op.AFTER:
            return Range(low=bound, low_included=False)
        case Op.GTE:
            return Range(low=bound)
        case Op.LT | Op.BEFORE:
            return Range(high=bound, high_included=False)
        case _:
            return Range(high=bound)


def _between(kind: Kind, low: JsonValue, high: JsonValue) -> Range:
    if kind is Kind.MONEY and _currency_of(low) != _currency_of(high):
        raise Fault("value", "currency", "both ends need the same currency")
    first, last = _comparable(kind, low), _comparable(kind, high)
    if first > last:  # type: ignore[operator]  # one kind, so one type
        raise Fault("value", "value_range", "the first end is above the second")
    return Range(low=first, high=last)


def _instants_between(low: JsonValue, high: JsonValue) -> Period:
    return _period(boundary(low), boundary(high))


def _period(start: Boundary, end: Boundary | None = None) -> Period:
    """From `start` on, until before `end`; a day given as the end belongs to the period."""
    if end is None:
        return Period(start=start)
    if _is_day(end):
        end = end + DAY
    if _order(start) >= _order(end):
        raise Fault("value", "value_range", "the first end is not before the second")
    return Period(start=start, end=end)


def _after(edge: Boundary) -> Boundary:
    """The first edge of what lies after a whole day, or after an instant."""
    return edge + DAY if _is_day(edge) else edge + TICK


def _is_day(edge: Boundary) -> bool:
    return not isinstance(edge, datetime)


def _order(edge: Boundary) -> tuple[date, float]:
    """Sorts edges, instants by their UTC day; exact enough to refuse a reversed period."""
    if isinstance(edge, datetime):
        return edge.date(), edge.timestamp()
    return edge, 0.0


def scalar(kind: Kind, value: JsonValue) -> Scalar:
    """`value` as a single value of `kind`. Raises Fault."""
    match kind:
        case Kind.TEXT | Kind.KEYWORD:
            return text(value)
        case Kind.BOOLEAN:
            if not isinstance(value, bool):
                raise Fault("value", "value_type", "true or false is expected")
            return value
        case _:
            return _comparable(kind, value)


def _comparable(kind: Kind, value: JsonValue) -> Decimal | int | date:
    match kind:
        case Kind.NUMBER:
            return number(value)
        case Kind.MONEY:
            return minor_units(value)
        case _:
            return day(value)


def text(value: JsonValue) -> str:
    """A text as it is stored: NFC, not empty, no control characters. Raises Fault."""
    if not isinstance(value, str) or not value:
        raise Fault("value", "value_type", "a text is expected")
    if len(value) > TEXT_LIMIT:
        raise Fault("value", "value_range", f"at most {TEXT_LIMIT} characters")
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in value):
        raise Fault("value", "value_type", "control characters are not allowed")
    return nfc(value)


def number(value: JsonValue) -> Decimal:
    """A bounded decimal number. Raises Fault."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Fault("value", "value_type", "a number is expected")
    decimal = Decimal(str(value))
    if not decimal.is_finite() or abs(decimal) > LARGEST_NUMBER:
        raise Fault("value", "value_range", "between -10^15 and 10^15")
    exponent = decimal.normalize().as_tuple().exponent
    if not isinstance(exponent, int) or exponent < SMALLEST_STEP:
        raise Fault("value", "value_range", "at most 9 digits after the point")
    return decimal


def minor_units(value: JsonValue) -> int:
    """The minor units of `{"amount": "1250000", "currency": "VND"}`. Raises Fault."""
    currency = _currency_of(value)
    amount = value.get("amount") if isinstance(value, dict) else None
    if not isinstance(amount, str) or not _AMOUNT.fullmatch(amount):
        raise Fault("value/amount", "value_type", "a decimal text is expected")
    minor = Decimal(amount).scaleb(get_currency_precision(currency))
    if minor != minor.to_integral_value():
        raise Fault("value/amount", "value_range", f"finer than the smallest unit of {currency}")
    return int(minor)


def _currency_of(value: JsonValue) -> str:
    first = value[0] if isinstance(value, list) and value else value
    if not isinstance(first, dict) or set(first) != {"amount", "currency"}:
        raise Fault("value", "value_type", "an amount and its currency are expected")
    currency = first["currency"]
    if not isinstance(currency, str) or not is_currency(currency):
        raise Fault("value/currency", "currency", "an ISO 4217 code is expected")
    return currency


def day(value: JsonValue) -> date:
    """A calendar day `2026-11-21`. Raises Fault."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise Fault("value", "value_type", "a day (YYYY-MM-DD) is expected")
    try:
        parsed = date.fromisoformat(value)
    except ValueError:
        raise Fault("value", "value_range", "there is no such day") from None
    return _bounded(parsed)


def boundary(value: JsonValue) -> Boundary:
    """A calendar day, or an instant with its offset (RFC 3339). Raises Fault."""
    if isinstance(value, str) and not _DAY.fullmatch(value):
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            raise Fault("value", "value_type", "a day or an instant is expected") from None
        if instant.tzinfo is None:
            raise Fault("value", "value_type", "the instant needs an offset")
        return _bounded(instant).astimezone(UTC)
    return day(value)


_Dated = TypeVar("_Dated", date, datetime)


def _bounded(when: _Dated) -> _Dated:
    if when.year not in YEARS:
        raise Fault("value", "value_range", f"from {YEARS[0]} to {YEARS[-1]}")
    return when


def duration(value: JsonValue, *, calendar_only: bool = False) -> Duration:
    """An ISO 8601 duration, of whole days if `calendar_only`. Raises Fault."""
    if not isinstance(value, str):
        raise Fault("value", "duration", "an ISO 8601 duration is expected")
    try:
        parsed = Duration.parse(value)
    except ValueError as error:
        raise Fault("value", "duration", str(error)) from error
    if calendar_only and parsed.exact is not None:
        raise Fault("value", "duration", "a date needs whole days (P30D)")
    return parsed


def _anniversary(value: JsonValue) -> Anniversary:
    parsed = duration(value, calendar_only=True)
    if parsed.months or parsed.days > LONGEST_ANNIVERSARY:
        raise Fault("value", "duration", f"days or weeks are expected, {LONGEST_ANNIVERSARY} days at most")
    return Anniversary(parsed.days)


def _key(value: JsonValue) -> str:
    key = search_key(text(value))
    if not key:
        raise Fault("value", "value_type", "a text with a letter or a digit is expected")
    return key


def _list(value: JsonValue, read: Callable[[JsonValue], T]) -> tuple[T, ...]:
    if not isinstance(value, list) or not value:
        raise Fault("value", "value_type", "a list of values is expected")
    if len(value) > LIST_LIMIT:
        raise Fault("value", "value_range", f"at most {LIST_LIMIT} values")
    items = []
    for index, item in enumerate(value):
        try:
            items.append(read(item))
        except Fault as fault:
            raise Fault(fault.at.replace("value", f"value/{index}", 1), fault.code, fault.detail)
    return tuple(items)


def _pair(value: JsonValue) -> tuple[JsonValue, JsonValue]:
    if not isinstance(value, list) or len(value) != 2:
        raise Fault("value", "value_type", "two values are expected")
    return value[0], value[1]


_KIND_BY_OP = {
    Op.CONTAINS: Kind.TEXT,
    Op.NOT_CONTAINS: Kind.TEXT,
    Op.STARTS_WITH: Kind.TEXT,
    Op.ANY_OF: Kind.TAGS,
    Op.ALL_OF: Kind.TAGS,
    Op.NONE_OF: Kind.TAGS,
    Op.BEFORE: Kind.DATE,
    Op.AFTER: Kind.DATE,
    Op.WITHIN_LAST: Kind.DATE,
    Op.MORE_THAN_AGO: Kind.DATE,
    Op.ANNIVERSARY_WITHIN: Kind.DATE,
    Op.GT: Kind.NUMBER,
    Op.GTE: Kind.NUMBER,
    Op.LT: Kind.NUMBER,
    Op.LTE: Kind.NUMBER,
}


def _kind_of_attribute(op: Op, value: JsonValue) -> Kind:
    """A custom attribute is read as what it is compared with; of another type it is unknown."""
    if op in _VALUELESS:
        return Kind.DYNAMIC
    if kind := _KIND_BY_OP.get(op):
        return kind
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, bool):
        return Kind.BOOLEAN
    if isinstance(first, int | float):
        return Kind.NUMBER
    return Kind.DATE if op is Op.BETWEEN else Kind.TEXT
