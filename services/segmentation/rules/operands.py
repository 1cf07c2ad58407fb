"""From an operator and the JSON beside it to a typed condition."""

from datetime import date, datetime
from decimal import Decimal

from pydantic import JsonValue

from services.segmentation.rules.catalog import NEGATIVE, Kind, Op
from services.segmentation.rules.errors import FaultError
from services.segmentation.rules.moments import DAY, TICK
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
from services.segmentation.rules.values import (
    boundary,
    currency_of,
    day,
    duration,
    key,
    listed,
    minor_units,
    number,
    pair,
    text,
)

LONGEST_ANNIVERSARY = 366

_VALUELESS = frozenset({Op.EXISTS, Op.NOT_EXISTS})


def read_check(kind: Kind, op: Op, value: JsonValue, *, require_known: bool) -> Check:
    """The check that `op` and `value` ask of a value of `kind`. Raises FaultError."""
    if require_known and op not in NEGATIVE:
        raise FaultError("require_known", "require_known_not_allowed", f"{op} never keeps unknowns")
    if op in _VALUELESS:
        if value is not None:
            raise FaultError("value", "value_not_allowed", f"{op} takes no value")
    elif value is None:
        raise FaultError("value", "value_missing", f"{op} needs a value")
    resolved = _kind_of_attribute(op, value) if kind is Kind.DYNAMIC else kind
    return Check(
        op=op,
        kind=resolved,
        condition=_condition(resolved, op, value),
        negated=op in NEGATIVE or op is Op.NOT_EXISTS,
        require_known=require_known,
        expected=value,
        currency=None if resolved is not Kind.MONEY or op in _VALUELESS else currency_of(value),
    )


def read_window(bounds: list[str]) -> Period:
    """The period from the first of `bounds` to the second, if given. Raises FaultError."""
    return _period(*(boundary(bound) for bound in bounds))


def _condition(kind: Kind, op: Op, value: JsonValue) -> Condition:  # noqa: PLR0911  (a table of cases)
    match op:
        case Op.EXISTS | Op.NOT_EXISTS:
            return Known()
        case Op.EQ | Op.NE:
            return Equals(_scalar(kind, value))
        case Op.IN | Op.NOT_IN:
            return OneOf(listed(value, lambda item: _scalar(kind, item)))
        case Op.ANY_OF | Op.NONE_OF:
            return Overlaps(listed(value, text))
        case Op.ALL_OF:
            return Covers(listed(value, text))
        case Op.CONTAINS | Op.NOT_CONTAINS:
            return Contains(key(value))
        case Op.STARTS_WITH:
            return StartsWith(key(value))
        case Op.WITHIN_LAST | Op.MORE_THAN_AGO | Op.ANNIVERSARY_WITHIN:
            return _relative(kind, op, value)
        case _:
            return _interval(kind, op, value)


def _relative(kind: Kind, op: Op, value: JsonValue) -> Within | OlderThan | Anniversary:
    parsed = duration(value, calendar_only=kind is Kind.DATE)
    if op is Op.WITHIN_LAST:
        return Within(parsed)
    if op is Op.MORE_THAN_AGO:
        return OlderThan(parsed)
    if parsed.months or parsed.days > LONGEST_ANNIVERSARY:
        raise FaultError("value", "duration", f"at most {LONGEST_ANNIVERSARY} days, or weeks")
    return Anniversary(parsed.days)


def _interval(kind: Kind, op: Op, value: JsonValue) -> Range | Period:
    if op is Op.BETWEEN:
        low, high = pair(value)
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
    if kind is Kind.MONEY and currency_of(low) != currency_of(high):
        raise FaultError("value", "currency", "both ends need the same currency")
    first, last = _comparable(kind, low), _comparable(kind, high)
    if first > last:  # type: ignore[operator]  # one kind, so one type
        raise FaultError("value", "value_range", "the first end is above the second")
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
        raise FaultError("value", "value_range", "the first end is not before the second")
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


def _scalar(kind: Kind, value: JsonValue) -> Scalar:
    match kind:
        case Kind.TEXT | Kind.KEYWORD:
            return text(value)
        case Kind.BOOLEAN:
            if not isinstance(value, bool):
                raise FaultError("value", "value_type", "true or false is expected")
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
