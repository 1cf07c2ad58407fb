"""The statements of lists of customers, one for each kind of list: each is prepared once.

A page of rare matches is found through the index of what is rare. Where several common things are
seldom met together, or something has no index, no statement may look for them through everybody:
a page then walks over so many customers and is continued from where it has come to.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Subquery,
    Text,
    Uuid,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    true,
)

from services.customer.customers.conditions import CONDITIONS, ORDINARY, conditions_of, in_scope
from services.customer.customers.models import customer, customer_tag
from services.customer.customers.ordering import Part, Sort
from services.customer.customers.repository import CUSTOMER_COLUMNS, TENANT
from services.customer.customers.sight import is_seen
from services.customer.fields.filtering import FieldShape, matching, rows_of
from shared.db.paging import SortKey, in_order, keyset, parse_id, parse_instant
from shared.db.tables import Instant

FEW: Final = 5000
"""So many customers are cheaper to fetch and sort than to be met on a walk through the list."""

GLANCED_AT: Final = 300
GLANCED_AT_ONE_BY_ONE: Final = 150
"""Where every third customer is met, a page of 50 is found in a glance."""

SORTED: Final = "sort"
"""Stands for the field of an order in names of parameters."""

_KINDS: Final = 512
_AT_MOST: Final = bindparam("at_most", type_=Integer)
_SAMPLED: Final = customer.c.created_at > bindparam("sampled_from", type_=Instant)
# The customers of one value stand in the order of the list; the rarest first.
_IN_ORDER: Final = (
    *("city", "owner_id", "province", "value_tier", "kind", "relation", "source", "stage"),
)
_OF_THE_ORDER: Final = ("created_from", "created_until")
# Ranges that an index finds, and what must be said besides for it to be used.
_RANGES: Final[Mapping[str, str | None]] = {
    "total_spent": "total_spent:some",
    "orders_count": "orders_count:some",
    "last_order_at": None,
    "last_interaction_at": None,
    "updated_at": None,
    "birth_date": None,
}
_COLUMNS: Final[Mapping[str, ColumnElement[Any]]] = {
    name: customer.c["total_spent_minor" if name == "total_spent" else name] for name in _RANGES
}
_BOUNDS: Final = ("gte", "lte", "lt")
# What the planner finds its way to by itself, however rare it is.
_FOUND: Final = frozenset({"birthdays", "tag:many"})
_OWNED: Final = "has_owner:true"


@dataclass(frozen=True, slots=True)
class Shape:
    """A list without its values: what has the same shape is the same statement."""

    names: tuple[str, ...]
    fields: tuple[FieldShape, ...]
    sort: Sort
    part: int = 0
    continued: bool = False
    of_teams: bool | None = None
    few: tuple[str, ...] = ()
    """Conditions that few meet, all of whom an index finds."""
    at_most: int | None = None
    """The rows of a page, where they are written into the statement."""

    @property
    def is_plain(self) -> bool:
        """Whether it is everybody."""
        return not (self.names or self.fields) and self.of_teams is None

    @property
    def is_to_be_walked(self) -> bool:
        """Whether the next match may be far away in the order, and no index leads there."""
        part = self.sort.parts[self.part]
        if part.field is not None or self.of_teams is not None or _FOUND & set(self.names):
            return False
        if "tag" in self.names and not self.is_driven:
            return False
        if any(field.way == "few" for field in self.fields):
            return False
        probed = any(field.way != "drive" for field in self.fields)
        return probed or bool(set(self.names) - set(self.kept))

    @property
    def glance(self) -> int:
        """How many customers are looked at sooner than it is found out what few meet.

        Own fields, and the customers of another table's rows, are looked up one by one.
        """
        return GLANCED_AT_ONE_BY_ONE if self.fields or self.is_driven else GLANCED_AT

    @property
    def is_driven(self) -> bool:
        """Whether the customers come from another table, which has them in the order."""
        is_found_otherwise = self.few or any(field.way == "few" for field in self.fields)
        if not self.sort.is_newest_first or is_found_otherwise:
            return False
        return "tag" in self.names or any(field.way == "drive" for field in self.fields)

    def found_by(self, few: tuple[str, ...]) -> "Shape":
        """The same list by way of all who meet these conditions, which few do."""
        fields = (
            replace(each, way="probe") if each.way == "drive" else each for each in self.fields
        )
        return replace(self, few=few, fields=tuple(fields))

    @property
    def is_planned_once(self) -> bool:
        """Whether one plan is right for all values: the order alone says how rows are come by."""
        return self.is_plain or (self.is_driven and not self.found)

    @property
    def kept(self) -> tuple[str, ...]:
        """The conditions that an index has together with the order."""
        if self.sort.name != "created_at":
            return tuple(name for name in self.names if name.startswith(f"{self.sort.name}_"))
        if self.is_driven:
            return tuple(name for name in self.names if name == "tag" or name in _OF_THE_ORDER)
        first = next((name for name in _IN_ORDER if name in self.names), None)
        kept = {first, f"{first}:rare", *_OF_THE_ORDER}
        return tuple(name for name in self.names if name in kept)

    @property
    def found(self) -> list[tuple[str, ...]]:
        """Conditions by which an index finds all there are, in whatever order; the kept ones not.

        The first of each names what the index is of.
        """
        others = [name for name in self.names if name not in self.kept]
        found: list[tuple[str, ...]] = [(_OWNED,)] if _OWNED in others else []
        for name in others:
            of, _, form = name.partition(":")
            if of not in _IN_ORDER or form not in {"", "many"}:
                continue
            rare = tuple(each for each in others if each == f"{of}:rare")
            # What nearly everybody is has no index, and is met everywhere.
            if form == "" or rare or of not in ORDINARY:
                found.append((name, *rare))
        for name, companion in _RANGES.items():
            bounds = tuple(f"{name}_{each}" for each in _BOUNDS if f"{name}_{each}" in others)
            if bounds and (companion is None or companion in others):
                found.append((*bounds, *([companion] if companion else [])))
        return found


@lru_cache(_KINDS)
def list_statement(shape: Shape) -> Select[Any]:
    """A page of customers."""
    if shape.is_driven:
        return _list_of_rows(shape)
    if shape.few:
        return _list_of_few(shape)
    part = shape.sort.parts[shape.part]
    statement = select(*CUSTOMER_COLUMNS).where(*in_scope())
    if shape.of_teams is not None:
        statement = statement.where(is_seen(of_teams=shape.of_teams))
    order = part.keys
    few = next((each for each in shape.fields if each.way == "few"), None)
    if part.field is not None:
        statement, order = _by_value(statement, part)
    elif shape.sort.is_newest_first and few is not None:
        rows = _all_of(few)
        statement, order = (
            statement.join(rows, rows.c.customer_id == customer.c.id),
            _newest_of(rows),
        )
        shape = replace(shape, fields=tuple(each for each in shape.fields if each != few))
    if part.condition is not None:
        statement = statement.where(part.condition)
    statement = statement.where(*conditions_of(shape.names, shape.fields))
    statement = keyset(statement, order, continued=shape.continued)
    if shape.at_most is not None:
        statement = statement.limit(literal_column(str(shape.at_most), Integer))
    return statement


def _list_of_rows(shape: Shape) -> Select[Any]:
    """A page of those whom the rows of another table have in the order."""
    driven, _ = _rows_in_order(shape)
    rows = driven.subquery("driven")
    seen = [] if shape.of_teams is None else [is_seen(of_teams=shape.of_teams)]
    names = (name for name in shape.names if name != "tag")
    each = _of_row(rows, *CUSTOMER_COLUMNS, where=[*seen, *conditions_of(names, shape.fields)])
    found = select(*each.c).join_from(rows, each, true())
    return keyset(found, _newest_of(rows, "id"), continued=False)


def _list_of_few(shape: Shape) -> Select[Any]:
    """A page of those whom conditions have found that few meet."""
    part = shape.sort.parts[shape.part]
    names = (name for name in shape.names if name not in shape.few)
    conditions = [*in_scope(), *conditions_of(names, shape.fields)]
    if part.condition is not None:
        conditions.append(part.condition)
    keys = (key.column for key in part.keys if key.name != "id")
    few = _met(shape.few, *keys, _is_met(conditions)).limit(FEW).subquery("few")
    met = select(few).where(few.c.is_met)
    order = _order_of(part, few)
    page = keyset(met, order, continued=shape.continued).subquery("page")
    return _page(page).order_by(*in_order(_order_of(part, page)))


@lru_cache(_KINDS)
def walk_statement(shape: Shape, *, steps: int | None = None) -> Select[Any]:
    """The same page, looked for among the next `walked` customers of the order and no further.

    The last of those is among its rows, met or not, unless the page is full before: a second
    statement to find where the walk ended might see another list. With `steps`, so many are
    written into the statement, and one plan is right for all values: it follows the order.
    """
    walked_at_most: ColumnElement[int] = bindparam("walked", type_=Integer)
    at_most = walked_at_most if steps is None else literal_column(str(steps), Integer)
    if shape.is_driven:
        walked = _walk_of_rows(shape).limit(at_most).subquery("walked")
        order = _newest_of(walked, "id")
        places = {key.name: key.column for key in order}
        is_met = _is_met(_looked_for(shape))
        each = _of_row(walked, *CUSTOMER_COLUMNS, is_met)
        columns = [places.get(column.name, each.c[column.name]) for column in CUSTOMER_COLUMNS]
        met = each.c.is_met.is_(true())
        found = select(*columns, walked.c.place, met.label("is_met"))
        found = found.join_from(walked, each, true(), isouter=True)
        return keyset(found.where(or_(met, walked.c.place == at_most)), order, continued=False)
    walked = _walk(shape).limit(at_most).subquery("walked")
    order = _order_of(shape.sort.parts[shape.part], walked)
    met = select(walked).where(or_(walked.c.is_met, walked.c.place == at_most))
    page = keyset(met, order, continued=False).subquery("page")
    return _page(page, page.c.place, page.c.is_met).order_by(page.c.place)


def _page(page: Subquery, *columns: ColumnElement[Any]) -> Select[Any]:
    """Everything of the customers of a page, for which no more was read than finds and orders."""
    each = _of_row(page, *CUSTOMER_COLUMNS)
    return select(*each.c, *columns).join_from(page, each, true())


def _order_of(part: Part, rows: Subquery) -> tuple[SortKey, ...]:
    """The order of a part, of rows that have its columns."""
    return tuple(replace(key, column=rows.c[key.column.name]) for key in part.keys)


def _is_met(conditions: Iterable[ColumnElement[bool]]) -> ColumnElement[bool]:
    # Beside an `or`, what is unknown would not spare the conditions after it; what is untrue does.
    return and_(true(), *(each.is_(true()) for each in conditions)).label("is_met")


@lru_cache(_KINDS)
def few_statement(names: tuple[str, ...]) -> Select[Any]:
    """How many customers an index finds by these conditions, counted up to `at_most` of them."""
    return select(func.count()).select_from(_met(names).limit(_AT_MOST).subquery("met"))


def _met(names: tuple[str, ...], *columns: ColumnElement[Any]) -> Select[Any]:
    """The customers of these conditions, in the order of the index that has them.

    Without an order the planner would look through everybody for the first ones.
    """
    name, _, form = names[0].partition(":")
    of_range = name.rpartition("_")[0]
    column = _COLUMNS.get(of_range, customer.c.created_at)
    if form:
        # Of several values the index has one after the other.
        column = customer.c["owner_id" if names[0] == _OWNED else name]
    conditions = [CONDITIONS[name] for name in names]
    met = select(customer.c.id, *columns).where(customer.c.tenant_id == TENANT, *conditions)
    return met.order_by(column)


def _of_row(
    rows: Any, *columns: ColumnElement[Any], where: Sequence[ColumnElement[bool]] = ()
) -> Any:
    """The customer of each row, looked up by their id.

    Joined, they might be met on a walk over everybody, which is planned where rows are thought to
    be many, and customers to be few.
    """
    of_row = select(*columns).where(*in_scope(), customer.c.id == rows.c.id, *where)
    return of_row.limit(literal_column("1", Integer)).lateral("of_row")


def _walk(shape: Shape) -> Select[Any]:
    part = shape.sort.parts[shape.part]
    conditions = in_scope() if part.condition is None else [*in_scope(), part.condition]
    kept = [CONDITIONS[name] for name in shape.kept]
    is_met = _is_met(_looked_for(shape))
    walk = select(*(key.column for key in part.keys), is_met, _place(part.keys))
    return keyset(walk.where(*conditions, *kept), part.keys, continued=shape.continued)


def _looked_for(shape: Shape) -> list[ColumnElement[bool]]:
    """The conditions that no index has together with the order."""
    names = (name for name in shape.names if name not in shape.kept)
    return conditions_of(names, shape.fields)


def _walk_of_rows(shape: Shape) -> Select[Any]:
    rows, order = _rows_in_order(shape)
    return rows.add_columns(_place(order))


def _rows_in_order(shape: Shape) -> tuple[Select[Any], tuple[SortKey, ...]]:
    """Those that a list is driven by, from where it goes on."""
    rows, of_rows = _source(shape)
    told = {
        "created_from": rows.c.created_at >= bindparam("created_from", type_=Instant),
        "created_until": rows.c.created_at < bindparam("created_until", type_=Instant),
    }
    bounds = [told[name] for name in _OF_THE_ORDER if name in shape.names]
    order = _newest_of(rows)
    found = select(rows.c.created_at, rows.c.customer_id.label("id")).where(*of_rows, *bounds)
    return keyset(found, order, continued=shape.continued).limit(None), order


def _place(order: Sequence[SortKey]) -> ColumnElement[int]:
    """Which one of a walk it is."""
    return func.row_number().over(order_by=in_order(order)).label("place")


def _source(shape: Shape) -> tuple[Any, list[ColumnElement[bool]]]:
    """The rows of another table that a list is driven by: a tag's, or those of a field's value."""
    if "tag" in shape.names:
        of_tag = customer_tag.c.tag == bindparam("tag", type_=Text)
        return customer_tag, [customer_tag.c.tenant_id == TENANT, of_tag]
    driving = next(each for each in shape.fields if each.way == "drive")
    return rows_of(driving.index), matching(driving)


def _all_of(few: FieldShape) -> FromClause:
    """Those of a condition that few meet, the newest first, each once."""
    rows = rows_of(few.index)
    found = select(rows.c.customer_id, rows.c.created_at).where(*matching(few)).distinct()
    newest = found.order_by(rows.c.created_at.desc(), rows.c.customer_id.desc())
    return newest.limit(FEW).subquery("few")


def _newest_of(rows: Any, customer_id: str = "customer_id") -> tuple[SortKey, ...]:
    """The newest first, as an index of another table has them."""
    return (
        SortKey(rows.c.created_at, "created_at", parse_instant, descending=True),
        SortKey(rows.c[customer_id], "id", parse_id, descending=True),
    )


def _by_value(statement: Select[Any], part: Part) -> tuple[Select[Any], tuple[SortKey, ...]]:
    """Those who have a value of a field in its order, or those who have none."""
    assert part.field is not None  # noqa: S101  (the caller has looked)
    rows = rows_of(SORTED)
    column = rows.c[part.field]
    of_field = (
        rows.c.tenant_id == TENANT,
        rows.c.field_id == bindparam(f"field_{SORTED}", type_=Uuid),
        column.is_not(None),
    )
    if part.is_rest:
        one = select(column).where(*of_field, rows.c.customer_id == customer.c.id).limit(1)
        nothing = one.correlate_except(rows).scalar_subquery().is_(None)
        return statement.where(nothing), part.keys
    statement = statement.add_columns(column).join(rows, rows.c.customer_id == customer.c.id)
    columns = (column, rows.c.created_at, rows.c.customer_id)
    order = tuple(replace(key, column=of) for key, of in zip(part.keys, columns, strict=True))
    return statement.where(*of_field), order


@lru_cache(_KINDS)
def count_statement(shape: Shape, *, sampled: bool) -> Select[Any]:
    """How many there are, of all or of a sample."""
    conditions = [*in_scope(), *conditions_of(shape.names, shape.fields)]
    if shape.of_teams is not None:
        conditions.append(is_seen(of_teams=shape.of_teams))
    if sampled:
        conditions.append(_SAMPLED)
    return select(func.count()).select_from(customer).where(*conditions)
