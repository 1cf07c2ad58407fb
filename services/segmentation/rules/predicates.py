"""What a condition says of a value in SQL: an expression that is NULL where the value is.

The twin of `conditions.py`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    Integer,
    Numeric,
    Text,
    and_,
    any_,
    false,
    func,
    literal,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from services.segmentation.rules.catalog import Field, Kind
from services.segmentation.rules.columns import Column, month_day_column
from services.segmentation.rules.moments import DAY, Moment, anniversaries
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
    StartsWith,
    Within,
)
from shared.db.tables import Instant

_TYPES: dict[Kind, TypeEngine[Any]] = {
    Kind.TEXT: Text(),
    Kind.KEYWORD: Text(),
    Kind.NUMBER: Numeric(),
    Kind.MONEY: BigInteger(),
    Kind.BOOLEAN: Boolean(),
    Kind.DATE: Date(),
    Kind.INSTANT: Instant,
}

Scale = Callable[[Column], Column]


def settled(holds: Column, check: Check) -> Column:
    """What the check makes of its condition: negated or not, with unknowns or without."""
    return negation(holds, require_known=check.require_known) if check.negated else holds


def negation(column: Column, *, require_known: bool) -> Column:
    """NOT; unless `require_known`, what is not known to be true counts as false."""
    # `= false` stays unknown where the column is; NOT would be pushed into `= ANY` and reverse it.
    return column == false() if require_known else column.is_not(True)


def holds(  # noqa: PLR0911  (a table of cases)
    check: Check,
    column: Column,
    moment: Moment,
    field: Field | None = None,
    scale: Scale = lambda value: value,
) -> Column:
    """Whether the check's condition holds for `column`; NULL where that is NULL."""

    def bound(value: object) -> Column:
        return scale(literal(value, _TYPES[check.kind]))

    match check.condition:
        case Known():
            return func.cardinality(column) > 0 if check.kind is Kind.TAGS else column.is_not(None)
        case Equals(value):
            return column == bound(value)
        case OneOf(values):
            return column == any_(literal(list(values), ARRAY(_TYPES[check.kind])))
        case Range():
            return _between(check.condition, column, bound)
        case Contains(key):
            return func.strpos(column, literal(key, Text)) > 0
        case StartsWith(key):
            return func.starts_with(column, literal(key, Text))
        case Overlaps(values):
            return _sets(column, field, "&&", "?|", values)
        case Covers(values):
            return _sets(column, field, "@>", "?&", values)
        case condition:
            return time_holds(condition, column, moment, check.kind)


def _sets(
    column: Column, field: Field | None, on_array: str, on_json: str, values: Sequence[str]
) -> Column:
    in_json = field is not None and field.scope == "attributes"
    wanted = literal(list(values), ARRAY(Text))
    return column.op(on_json if in_json else on_array, is_comparison=True)(wanted)


def _between(span: Range, column: Column, bound: Callable[[object], Column]) -> Column:
    ends = []
    if span.low is not None:
        low = bound(span.low)
        ends.append(column >= low if span.low_included else column > low)
    if span.high is not None:
        high = bound(span.high)
        ends.append(column <= high if span.high_included else column < high)
    return and_(*ends)


def time_holds(
    condition: Condition, column: Column, moment: Moment, kind: Kind = Kind.INSTANT
) -> Column:
    """Whether a condition of time holds for `column`, an instant or a date."""
    match condition:
        case Period(start, end):
            edges = [] if start is None else [column >= _edge(start, moment)]
            return and_(*edges, *([] if end is None else [column < _edge(end, moment)]))
        case Within(duration) if kind is Kind.DATE:
            first, today = literal(moment.first_day(duration), Date), literal(moment.today, Date)
            return and_(column >= first, column <= today)
        case Within(duration):
            cutoff, now = literal(moment.cutoff(duration), Instant), literal(moment.as_of, Instant)
            return and_(column > cutoff, column <= now)
        case OlderThan(duration) if kind is Kind.DATE:
            return column < literal(moment.first_day(duration), Date)
        case OlderThan(duration):
            return column <= literal(moment.cutoff(duration), Instant)
        case Anniversary(days):
            keys = sorted(anniversaries(moment.today, moment.today + days * DAY))
            return month_day_column(column) == any_(literal(keys, ARRAY(Integer)))
        case _:
            raise AssertionError(f"not a condition of time: {condition}")


def _edge(boundary: Boundary, moment: Moment) -> Column:
    instant = boundary if isinstance(boundary, datetime) else moment.midnight(boundary)
    return literal(instant, Instant)
