"""What a condition says of a value in memory. The twin of `predicates.py`."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

from services.segmentation.facts.search_keys import titles_search
from services.segmentation.rules.moments import DAY, Moment, anniversaries, month_day
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
from shared.text import search_key

Truth = bool | None
"""True, False, or None for unknown."""

C = TypeVar("C", Fraction, date)


def all_of(truths: Iterable[Truth]) -> Truth:
    """Kleene's AND: False if one is, else unknown if one is."""
    return _first_of((False, None), set(truths), otherwise=True)


def any_of(truths: Iterable[Truth]) -> Truth:
    """Kleene's OR: True if one is, else unknown if one is."""
    return _first_of((True, None), set(truths), otherwise=False)


def negation(truth: Truth, *, require_known: bool) -> Truth:
    """NOT; unless `require_known`, what is not known to be true counts as false."""
    if truth is None and require_known:
        return None
    return not truth


def _first_of(order: tuple[Truth, ...], truths: set[Truth], *, otherwise: Truth) -> Truth:
    return next((truth for truth in order if truth in truths), otherwise)


def truth_of(check: Check, value: object, moment: Moment) -> Truth:
    """What the check says of a value, None being unknown."""
    if isinstance(check.condition, Known):
        return (value not in (None, ())) is not check.negated
    holds = None if value is None else satisfies(check.condition, value, moment)
    return negation(holds, require_known=check.require_known) if check.negated else holds


def satisfies(condition: Condition, value: object, moment: Moment) -> bool:  # noqa: PLR0911  (a table of cases)
    """Whether a known value meets the condition."""
    match condition, value:
        case Equals(wanted), _:
            return exact(value) == exact(wanted)
        case OneOf(wanted), _:
            return exact(value) in {exact(item) for item in wanted}
        case Range(), _:
            return _in_range(condition, exact(value))
        case Contains(key), _:
            return key in _key_of(value)
        case StartsWith(key), _:
            return _key_of(value).startswith(key)
        case Overlaps(wanted), tuple():
            return not set(wanted).isdisjoint(value)
        case Covers(wanted), tuple():
            return set(wanted) <= set(value)
        case _, datetime():
            return _instant_satisfies(condition, value, moment)
        case _, date():
            return _date_satisfies(condition, value, moment)
        case _:
            raise AssertionError(f"{condition} does not apply to {value!r}")


def _instant_satisfies(condition: Condition, value: datetime, moment: Moment) -> bool:
    match condition:
        case Period(start, end):
            return (start is None or _edge(start, moment) <= value) and (
                end is None or value < _edge(end, moment)
            )
        case Within(duration):
            return moment.cutoff(duration) < value <= moment.as_of
        case OlderThan(duration):
            return value <= moment.cutoff(duration)
        case _:
            raise AssertionError(f"{condition} does not apply to an instant")


def _date_satisfies(condition: Condition, value: date, moment: Moment) -> bool:
    match condition:
        case Within(duration):
            return moment.first_day(duration) <= value <= moment.today
        case OlderThan(duration):
            return value < moment.first_day(duration)
        case Anniversary(days):
            return month_day(value) in anniversaries(moment.today, moment.today + days * DAY)
        case _:
            raise AssertionError(f"{condition} does not apply to a date")


def _edge(boundary: Boundary, moment: Moment) -> datetime:
    return boundary if isinstance(boundary, datetime) else moment.midnight(boundary)


def exact(value: object) -> object:
    """Numbers as fractions, so that an average is compared without rounding."""
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        # The shortest decimal that reads back as this float: what the JSON said.
        return Fraction(Decimal(str(value)))
    return Fraction(value) if isinstance(value, int | Decimal) else value


def _in_range(span: Range, value: object) -> bool:
    low, high = exact(span.low), exact(span.high)
    match value, low, high:
        case Fraction(), (Fraction() | None), (Fraction() | None):
            return _above(value, low, span) and _below(value, high, span)
        case date(), (date() | None), (date() | None):
            return _above(value, low, span) and _below(value, high, span)
        case _:
            raise AssertionError(f"{span} does not apply to {value!r}")


def _above(value: C, low: C | None, span: Range) -> bool:
    return low is None or (low <= value if span.low_included else low < value)


def _below(value: C, high: C | None, span: Range) -> bool:
    return high is None or (value <= high if span.high_included else value < high)


def _key_of(value: object) -> str:
    return titles_search(value) if isinstance(value, tuple) else search_key(str(value))
