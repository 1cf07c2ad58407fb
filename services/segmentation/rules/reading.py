"""What a field's value is in memory: None when it is unknown. The twin of `columns.py`."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from services.segmentation.facts.customer_facts import Fact, ProfileFacts
from services.segmentation.rules.catalog import EXPIRED, Field, Kind, Scope
from services.segmentation.rules.moments import Moment, age_on
from services.segmentation.rules.tree import Check

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

Record = ProfileFacts | Fact


def read_value(field: Field, record: Record, check: Check, moment: Moment) -> object:  # noqa: PLR0911  (a table of cases)
    """The value of `field` in `record`, read as the check's kind."""
    match field.scope, field.key:
        case Scope.ATTRIBUTES, key:
            return read_attribute(_member(record, "attributes", key), check.kind)
        case Scope.CONSENT, key:
            ends_at = _consent_end(record, key)
            is_over = ends_at is not None and ends_at <= moment.as_of
            return EXPIRED if is_over else _member(record, "consent", key)
        case Scope.PROFILE, "age":
            birth_date = get(record, "birth_date")
            return age_on(moment.today, birth_date) if isinstance(birth_date, date) else None
        case Scope.PROFILE, "total_spent":
            return _money(record, "total_spent_minor", check, {check.currency, None})
        case Scope.PROFILE, "income_at_least" | "income_below" as bound:
            currency = get(record, "income_currency")
            is_other = check.currency not in {None, currency}
            return None if is_other else get(record, f"{bound}_minor")
        case Scope.ORDER, "total":
            return _money(record, "total_minor", check, {check.currency})
        case Scope.ORDER, "product_titles":
            return get(record, "product_titles") or None
        case _, key:
            return get(record, key)


def read_time(field: Field, record: Record, kind: Kind) -> object:
    """A stored date or instant; of a consent it is its end."""
    if field.scope is Scope.ATTRIBUTES:
        return read_attribute(_member(record, "attributes", field.key), kind)
    if field.scope is Scope.CONSENT:
        return _consent_end(record, field.key)
    return get(record, field.key)


def read_attribute(value: object, kind: Kind) -> object:  # noqa: PLR0911  (a table of cases)
    """A custom attribute read as `kind`; None when it is absent, null or of another type."""
    match kind, value:
        case Kind.DYNAMIC, _:
            return value
        case Kind.BOOLEAN, bool():
            return value
        case Kind.NUMBER, int() | float() | Decimal() if not isinstance(value, bool):
            return value
        case Kind.TEXT, str():
            return value
        case Kind.DATE, str():
            return _day(value)
        case Kind.TAGS, list() | tuple():
            return tuple(item for item in value if isinstance(item, str))
        case _:
            return None


def get(record: Record, name: str) -> object:
    """A fact by its column's name."""
    value: object = getattr(record, name)
    return value


def _member(record: Record, document: str, key: str) -> object:
    members = get(record, document)
    return members.get(key) if isinstance(members, Mapping) else None


def _consent_end(record: Record, key: str) -> datetime | None:
    ends_at = _member(record, "consent_ends", key)
    return datetime.fromisoformat(ends_at) if isinstance(ends_at, str) else None


def _money(record: Record, column: str, check: Check, currencies: set[str | None]) -> object:
    if check.currency is None or get(record, "currency") in currencies:
        return get(record, column)
    return None


def _day(words: str) -> date | None:
    if not _DAY.fullmatch(words):
        return None
    try:
        return date.fromisoformat(words)
    except ValueError:
        return None
