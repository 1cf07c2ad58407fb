"""Where a field's value lies in SQL: typed expressions that are NULL when the value is unknown.

`reading.py` says the same for facts in memory; the two are tested against each other.
"""

from typing import Any

from sqlalchemy import (
    Boolean,
    Date,
    FromClause,
    Integer,
    Numeric,
    Text,
    and_,
    case,
    cast,
    extract,
    func,
    literal,
)
from sqlalchemy.sql.elements import ColumnElement

from services.segmentation.rules.catalog import EXPIRED, Field, Kind, Scope
from services.segmentation.rules.moments import Moment, month_day
from services.segmentation.rules.tree import Check
from shared.db.tables import Instant

DAY_PATTERN = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

Column = ColumnElement[Any]


def value_column(field: Field, source: FromClause, check: Check, moment: Moment) -> Column:  # noqa: PLR0911  (a table of cases)
    """The expression of `field` over `source` (its table or an alias), of the check's kind."""
    match field.scope, field.key:
        case Scope.ATTRIBUTES, key:
            return attribute_column(source, key, check.kind)
        case Scope.CONSENT, key:
            return _consent(source, key, moment)
        case Scope.PROFILE, "age":
            return _age(source.c.birth_date, moment)
        case Scope.PROFILE, "total_spent":
            # Who has bought nothing has spent nothing, in any currency.
            return _money(source, "total_spent_minor", check, source.c.currency.is_(None))
        case Scope.PROFILE, "income_at_least" | "income_below" as bound:
            return _money(source, f"{bound}_minor", check, currency="income_currency")
        case Scope.ORDER, "total":
            return _money(source, "total_minor", check)
        case Scope.ORDER, "product_titles":
            return key_column(field, source)
        case _, key:
            return source.c[key]


def time_column(field: Field, source: FromClause, kind: Kind) -> Column:
    """The expression of a stored date or instant."""
    if field.scope is Scope.ATTRIBUTES:
        return attribute_column(source, field.key, kind)
    return source.c[field.key]


def key_column(field: Field, source: FromClause) -> Column:
    """The search key of a text field, NULL when the text is unknown."""
    match field.scope, field.key:
        case Scope.PROFILE, "full_name":
            return source.c.search_name
        case Scope.ORDER, "product_titles":
            return func.nullif(source.c.product_search, literal("", Text))
        case _:
            return _words(source.c.search_keys, field.name)


def attribute_column(source: FromClause, name: str, kind: Kind) -> Column:
    """A custom attribute read as `kind`; NULL when it is absent, null or of another type."""
    member = _member(source.c.attributes, name)
    match kind:
        case Kind.DYNAMIC:
            return case((func.jsonb_typeof(member) != literal("null", Text), member))
        case Kind.NUMBER:
            return case((_is_json(member, "number"), cast(member.astext, Numeric)))
        case Kind.BOOLEAN:
            return case((_is_json(member, "boolean"), cast(member.astext, Boolean)))
        case Kind.TAGS:
            return case((_is_json(member, "array"), member))
        case Kind.DATE:
            return case((_is_day(member), cast(member.astext, Date)))
        case _:
            return case((_is_json(member, "string"), member.astext))


def month_day_column(column: Column) -> Column:
    """The place of a date in the year as one number: 14 February is 214."""
    return cast(extract("month", column) * 100 + extract("day", column), Integer)


def _money(
    source: FromClause, column: str, check: Check, *also: Column, currency: str = "currency"
) -> Column:
    """Minor units in the check's currency; NULL in another, unless `also` holds."""
    minor = source.c[column]
    if check.currency is None:
        return minor
    same = source.c[currency] == literal(check.currency, Text)
    return case((same, minor), *((condition, minor) for condition in also))


def _age(birth_date: Column, moment: Moment) -> Column:
    today = moment.today
    ahead = case((month_day_column(birth_date) > literal(month_day(today), Integer), 1), else_=0)
    years = literal(today.year, Integer) - cast(extract("year", birth_date), Integer) - ahead
    return case((birth_date <= literal(today, Date), years))


def _consent(source: FromClause, key: str, moment: Moment) -> Column:
    """What was answered; a yes whose time is over has expired."""
    ends_at = cast(_words(source.c.consent_ends, key), Instant)
    is_over = ends_at <= literal(moment.as_of, Instant)
    return case((is_over, literal(EXPIRED, Text)), else_=_words(source.c.consent, key))


def _member(document: Column, name: str) -> Any:
    return document[literal(name, Text)]


def _words(document: Column, name: str) -> Column:
    words: Column = _member(document, name).astext
    return words


def _is_json(member: Column, type_: str) -> Column:
    return func.jsonb_typeof(member) == literal(type_, Text)


def _is_day(member: Any) -> Column:
    return and_(
        _is_json(member, "string"),
        member.astext.regexp_match(literal(DAY_PATTERN, Text)),
        # 31 February has the form of a day; casting it would stop the statement.
        func.pg_input_is_valid(member.astext, literal("date", Text)),
    )
