"""Conditions on customers: what a client asks, as SQL that is the same for any values."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Self

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    Date,
    Integer,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    exists,
    extract,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.customers import profile_conditions
from services.customer.customers.filtering import CustomerConditions
from services.customer.customers.models import NOTHING, customer, customer_tag
from services.customer.fields.filtering import FieldCondition, FieldShape, holds
from shared.db.tables import Instant
from shared.errors import FieldError, Invalid
from shared.moments import YEARS
from shared.money import Money, MoneyError

_TENANT: Final = bindparam("tenant", type_=Uuid)
_OF_COLUMNS: Final = (
    *("stage", "kind", "relation", "source", "owner_id", "gender", "locale"),
    *("city", "province", "country", "value_tier"),
)
_ONE_OF: Final[Mapping[str, ColumnElement[Any]]] = {
    **{name: customer.c[name] for name in _OF_COLUMNS},
    **profile_conditions.ONE_OF,
}
ORDINARY: Final[Mapping[str, str]] = {
    "kind": "person",
    "relation": "customer",
    "value_tier": "standard",
}
"""What nearly everybody is; an index has only the others."""

_KNOWN: Final[Mapping[str, str]] = {
    "has_owner": "owner_id",
    "has_email": "email",
    "has_phone": "phone",
}
_RANGES: Final[Mapping[str, tuple[ColumnElement[Any], Any]]] = {
    "orders_count": (customer.c.orders_count, Integer),
    "birth_date": (customer.c.birth_date, Date),
    "first_order_at": (customer.c.first_order_at, Instant),
    "last_order_at": (customer.c.last_order_at, Instant),
    "last_interaction_at": (customer.c.last_interaction_at, Instant),
    "updated_at": (customer.c.updated_at, Instant),
    "total_spent": (customer.c.total_spent_minor, BigInteger),
    "rating": (profile_conditions.ONE_OF["rating"], Integer),
}


def _tags_of_customer(*conditions: ColumnElement[bool]) -> Any:
    return (
        select(func.count())
        .select_from(customer_tag)
        .where(
            customer_tag.c.tenant_id == _TENANT,
            customer_tag.c.customer_id == customer.c.id,
            *conditions,
        )
    )


def _has_given(name: str) -> ColumnElement[bool]:
    """Whether all of these yeses were given, and none of them has expired by `consents_at`."""
    wanted = bindparam(name, type_=JSONB)
    each = func.jsonb_array_elements(customer.c.consents).table_valued(Column("said", JSONB))
    said: Any = each.render_derived(name="answer").c.said
    # As it stands in `wanted`: without when it was said and how long it counts.
    what = func.jsonb_build_object(
        *(
            part
            for key in ("purpose", "channel", "status")
            for part in (literal_column(f"'{key}'", Text), said[key])
        ),
        type_=JSONB,
    )
    is_over = cast(said["expires_at"].astext, Instant) <= bindparam("consents_at", type_=Instant)
    expired = exists().where(wanted.contains(func.jsonb_build_array(what)), is_over)
    # Who has not said it at all is passed over before anybody's answers are taken apart.
    return and_(customer.c.consents.contains(wanted), ~expired)


def _build() -> Iterator[tuple[str, ColumnElement[bool]]]:
    for name, column in _ONE_OF.items():
        yield name, column == bindparam(name, type_=column.type)
        yield f"{name}:many", column == func.any(bindparam(name, type_=ARRAY(column.type)))
    for name, ordinary in ORDINARY.items():
        yield f"{name}:rare", customer.c[name] != ordinary
    for name, column_name in _KNOWN.items():
        yield f"{name}:true", customer.c[column_name].is_not(None)
        yield f"{name}:false", customer.c[column_name].is_(None)
    for name, (column, type_) in _RANGES.items():
        yield f"{name}_gte", column >= bindparam(f"{name}_gte", type_=type_)
        yield f"{name}_lte", column <= bindparam(f"{name}_lte", type_=type_)
        yield f"{name}_lt", column < bindparam(f"{name}_lt", type_=type_)
    created_at = customer.c.created_at
    yield "created_from", created_at >= bindparam("created_from", type_=Instant)
    yield "created_until", created_at < bindparam("created_until", type_=Instant)
    yield "orders_count:some", customer.c.orders_count > NOTHING
    yield "total_spent:some", customer.c.total_spent_minor > NOTHING
    yield "currency", customer.c.currency == bindparam("currency", type_=Text)
    tags = bindparam("tag", type_=ARRAY(Text))
    tag = customer_tag.c.tag
    of_customer = (
        customer_tag.c.tenant_id == _TENANT,
        customer_tag.c.customer_id == customer.c.id,
    )
    yield "tag", exists().where(*of_customer, tag == bindparam("tag", type_=Text))
    yield "tag:many", exists().where(*of_customer, tag == func.any(tags))
    all_tags = bindparam("tag_all", type_=ARRAY(Text))
    found = _tags_of_customer(tag == func.any(all_tags)).scalar_subquery()
    yield "tag_all", found == func.cardinality(all_tags)
    yield from profile_conditions.INCOME.items()
    yield "preferences", profile_conditions.PREFERENCES
    yield "consent", _has_given("consent")
    yield "no_consent", ~_has_given("no_consent")
    born = customer.c.birth_date
    # Every such day of every year: an index finds days, and no parts of them.
    yield (
        "birthdays",
        born.is_not(None) & (born == func.any(bindparam("birthdays", type_=ARRAY(Date)))),
    )
    for part in ("month", "day"):
        number = bindparam(f"birth_{part}", type_=Integer)
        yield f"birth_{part}", extract(part, born) == number


IS_SOMEBODY: Final = (customer.c.merged_into.is_(None), customer.c.removed_at.is_(None))
"""Who stands for a person, and was not taken back with the import that brought them."""

CONDITIONS: Final[Mapping[str, ColumnElement[bool]]] = dict(_build())
"""By name; their parameters are called as `CustomerFilter.values` has them, and `tenant`."""


def in_scope() -> list[ColumnElement[bool]]:
    """The people of the tenant: who is merged into others, or was removed, is not listed."""
    return [customer.c.tenant_id == _TENANT, *IS_SOMEBODY]


def conditions_of(names: Iterable[str], fields: Sequence[FieldShape]) -> list[ColumnElement[bool]]:
    """The conditions of these names, and those on fields but for the one that drives."""
    return [
        *(CONDITIONS[name] for name in names),
        *(holds(shape, customer.c.id) for shape in fields if shape.way != "drive"),
    ]


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """What a client wants in a list: names of conditions, their values, the shop's own fields."""

    names: frozenset[str] = frozenset()
    values: Mapping[str, Any] = field(default_factory=dict)
    fields: Sequence[FieldCondition] = ()

    @classmethod
    def of(
        cls,
        given: CustomerConditions,
        *,
        at: datetime,
        currency: str = "VND",
        fields: Sequence[FieldCondition] = (),
        pointer: str = "/query/",
    ) -> Self:
        """The same as conditions at a moment: what has expired by then counts no more.

        Raises Invalid for an amount that the currency does not have.
        """
        said = given.said
        names: set[str] = set()
        values: dict[str, Any] = {}
        for name, value in said.items():
            if name in _KNOWN:
                names.add(f"{name}:{'true' if value else 'false'}")
            elif name in _ONE_OF or name == "tag":
                _add_list(name, value, names, values)
            elif name in {"consent", "no_consent"}:
                names.add(name)
                values |= {name: [_consent(code) for code in value], "consents_at": at}
            elif name in {"tag_all", "preferences"}:
                names.add(name)
                values[name] = sorted(set(value))
            elif name not in {"birth_month", "birth_day"}:
                names.add(name)
                values[name] = value
        _add_birthday(said, names, values)
        _add_money(said, names, values, currency=currency, pointer=pointer)
        if said.get("orders_count_gte", 0) > 0:
            names.add("orders_count:some")
        return cls(frozenset(names), values, tuple(fields))


def _add_list(name: str, given: Sequence[Any], names: set[str], values: dict[str, Any]) -> None:
    """One value is found in the order of a list; of several each would be."""
    wanted = list(dict.fromkeys(given))
    is_one = len(wanted) == 1
    names.add(name if is_one else f"{name}:many")
    values[name] = wanted[0] if is_one else wanted
    if name in ORDINARY and ORDINARY[name] not in wanted:
        names.add(f"{name}:rare")


def _add_birthday(said: Mapping[str, Any], names: set[str], values: dict[str, Any]) -> None:
    month, day = said.get("birth_month"), said.get("birth_day")
    if month is not None and day is not None:
        names.add("birthdays")
        values["birthdays"] = list(_days(month, day))
        return
    for name in ("birth_month", "birth_day"):
        if name in said:
            names.add(name)
            values[name] = said[name]


def _days(month: int, day: int) -> Iterator[date]:
    for year in YEARS:
        try:
            yield date(year, month, day)
        except ValueError:
            continue


def _add_money(
    said: Mapping[str, Any],
    names: set[str],
    values: dict[str, Any],
    *,
    currency: str,
    pointer: str,
) -> None:
    for name, parameter in (
        ("total_spent_gte", "total_spent[gte]"),
        ("total_spent_lte", "total_spent[lte]"),
        ("income_at_least_gte", "income_at_least[gte]"),
        ("income_below_lte", "income_below[lte]"),
    ):
        if name not in said:
            continue
        try:
            minor = Money.parse(said[name], currency).amount_minor
        except MoneyError as error:
            place = parameter if pointer == "/query/" else name
            fault = FieldError(f"{pointer}{place}", error.code, str(error))
            raise Invalid(errors=[fault]) from error
        if name in profile_conditions.INCOME:
            values |= {name: Decimal(said[name]), "income_currency": currency}
            continue
        names.add("currency")
        values |= {name: minor, "currency": currency}
        if name == "total_spent_gte" and minor > 0:
            names.add("total_spent:some")


def _consent(code: str) -> Mapping[str, str]:
    purpose, _, channel = code.partition(".")
    return {"purpose": purpose, "channel": channel, "status": "granted"}
