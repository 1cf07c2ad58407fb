"""The statements of lists of customers, one for each kind of list: each is prepared once.

A page of rare matches is found through the index of what is rare. Where several common things are
seldom met together, or something has no index, no statement may look for them through everybody:
a page then walks over so many customers and is continued from where it has come to.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
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

from services.customer.customers.conditions import CONDITIONS, conditions_of, in_scope
from services.customer.customers.list_shapes import FEW, OF_THE_ORDER, OWNED, RANGES, Shape
from services.customer.customers.models import customer, customer_tag
from services.customer.customers.ordering import Part
from services.customer.customers.repository import CUSTOMER_COLUMNS, TENANT
from services.customer.customers.sight import is_seen
from services.customer.fields.filtering import FieldShape, matching, rows_of
from services.customer.fields.record import ValueColumn
from shared.db.paging import SortKey, in_order, keyset, parse_id, parse_instant
from shared.db.tables import Instant

SORTED: Final = "sort"
"""Stands for the field of an order in names of parameters."""

_KINDS: Final = 512
_AT_MOST: Final = bindparam("at_most", type_=Integer)
_SAMPLED: Final = customer.c.created_at > bindparam("sampled_from", type_=Instant)
_COLUMNS: Final[Mapping[str, ColumnElement[Any]]] = {
    name: customer.c["total_spent_minor" if name == "total_spent" else name] for name in RANGES
}


@lru_cache(_KINDS)
def list_statement(shape: Shape) -> Select[Any]:
    """A page of customers."""
    if shape.is_driven:
        return _list_of_rows(shape)
    if shape.few:
        return _list_of_few(shape)
    statement = select(*CUSTOMER_COLUMNS).where(*in_scope())
    if shape.of_teams is not None:
        statement = statement.where(is_seen(of_teams=shape.of_teams))
    order = shape.part.keys
    few = next((each for each in shape.fields if each.way == "few"), None)
    if shape.is_by_value:
        statement, order = _by_value(statement, shape.part)
    elif shape.sort.is_newest_first and few is not None:
        rows = _all_of(few)
        statement, order = (
            statement.join(rows, rows.c.customer_id == customer.c.id),
            _newest_of(rows),
        )
        shape = replace(shape, fields=tuple(each for each in shape.fields if each != few))
    statement = statement.where(*_of_part(shape.part), *conditions_of(shape.names, shape.fields))
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
    return keyset(found, _order_of(shape.part, rows), continued=False)


def _list_of_few(shape: Shape) -> Select[Any]:
    """A page of those whom conditions have found that few meet."""
    names = (name for name in shape.names if name not in shape.few)
    conditions = [*in_scope(), *_of_part(shape.part), *conditions_of(names, shape.fields)]
    keys = (key.column for key in shape.part.keys if key.name != "id")
    few = _met(shape.few, *keys, _is_met(conditions)).limit(FEW).subquery("few")
    met = select(few).where(few.c.is_met)
    order = _order_of(shape.part, few)
    page = keyset(met, order, continued=shape.continued).subquery("page")
    return _page(page).order_by(*in_order(_order_of(shape.part, page)))


@lru_cache(_KINDS)
def walk_statement(shape: Shape, *, steps: int | None = None) -> Select[Any]:
    """The same page, looked for among the next `walked` customers of the order and no further.

    The last of those is among its rows, met or not, unless the page is full before: a second
    statement to find where the walk ended might see another list. With `steps`, so many are
    written into the statement, and one plan is right for all values: it follows the order.
    """
    at_most: ColumnElement[int] = bindparam("walked", type_=Integer)
    if steps is not None:
        at_most = literal_column(str(steps), Integer)
    if shape.is_driven or shape.is_by_value:
        return _walk_of_rows(shape, at_most)
    # Where own fields are looked up for each, to read all of a customer at once costs no more.
    is_whole = steps is not None and bool(shape.fields)
    walked = _walk(shape, is_whole=is_whole).limit(at_most).subquery("walked")
    order = _order_of(shape.part, walked)
    met = select(walked).where(or_(walked.c.is_met, walked.c.place == at_most))
    found: Select[Any] = keyset(met, order, continued=False)
    if is_whole:
        return found
    page = found.subquery("page")
    return _page(page, page.c.place, page.c.is_met).order_by(page.c.place)


def _walk_of_rows(shape: Shape, at_most: ColumnElement[int]) -> Select[Any]:
    """A walk over the rows of another table, with the customer of each."""
    rows, of_rows = _rows_in_order(shape)
    walked = rows.add_columns(_place(of_rows)).limit(at_most).subquery("walked")
    order = _order_of(shape.part, walked)
    each = _of_row(walked, *CUSTOMER_COLUMNS, _is_met(_looked_for(shape)))
    # Who has left the list since leaves the place where they stood.
    columns = {column.name: each.c[column.name] for column in CUSTOMER_COLUMNS}
    columns |= {key.name: key.column for key in order}
    met = each.c.is_met.is_(true())
    found = select(*columns.values(), walked.c.place, met.label("is_met"))
    found = found.join_from(walked, each, true(), isouter=True)
    return keyset(found.where(or_(met, walked.c.place == at_most)), order, continued=False)


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
        column = customer.c["owner_id" if names[0] == OWNED else name]
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


def _walk(shape: Shape, *, is_whole: bool) -> Select[Any]:
    order = shape.part.keys
    kept = [CONDITIONS[name] for name in shape.kept]
    # No index has those who have nothing: they are met among everybody.
    of_part = [] if shape.part.is_rest else _of_part(shape.part)
    is_met = _is_met(_looked_for(shape))
    keys = {key.column.name: key.column for key in order}
    columns = {column.name: column for column in CUSTOMER_COLUMNS} if is_whole else {}
    walk = select(*(columns | keys).values(), is_met, _place(order))
    return keyset(walk.where(*in_scope(), *of_part, *kept), order, continued=shape.continued)


def _looked_for(shape: Shape) -> list[ColumnElement[bool]]:
    """The conditions that no index has together with the order."""
    names = (name for name in shape.names if name not in shape.kept)
    of_part = _of_part(shape.part) if shape.part.is_rest else []
    return [*of_part, *conditions_of(names, shape.fields)]


def _of_part(part: Part) -> list[ColumnElement[bool]]:
    """Who is in a part of an order."""
    if part.field is not None and part.is_rest:
        rows, of_field = _values(part.field)
        one = (
            select(rows.c[part.field])
            .where(*of_field, rows.c.customer_id == customer.c.id)
            .limit(1)
        )
        return [one.correlate_except(rows).scalar_subquery().is_(None)]
    return [] if part.condition is None else [part.condition]


def _rows_in_order(shape: Shape) -> tuple[Select[Any], tuple[SortKey, ...]]:
    """Those that a list is driven by, from where it goes on."""
    part = shape.part
    bounds: list[ColumnElement[bool]] = []
    if part.field is not None:
        rows, of_rows = _values(part.field)
        order = _order_of_values(part, rows)
    else:
        rows, of_rows = _source(shape)
        order = _newest_of(rows)
        told = {
            "created_from": rows.c.created_at >= bindparam("created_from", type_=Instant),
            "created_until": rows.c.created_at < bindparam("created_until", type_=Instant),
        }
        bounds = [told[name] for name in OF_THE_ORDER if name in shape.names]
    found = select(*(key.column.label(key.name) for key in order)).where(*of_rows, *bounds)
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


def _newest_of(rows: Any) -> tuple[SortKey, ...]:
    """The newest first, as an index of another table has them."""
    return (
        SortKey(rows.c.created_at, "created_at", parse_instant, descending=True),
        SortKey(rows.c.customer_id, "id", parse_id, descending=True),
    )


def _values(field: ValueColumn) -> tuple[Any, list[ColumnElement[bool]]]:
    """The values of the field that an order is by."""
    rows = rows_of(SORTED)
    of_field = rows.c.field_id == bindparam(f"field_{SORTED}", type_=Uuid)
    return rows, [rows.c.tenant_id == TENANT, of_field, rows.c[field].is_not(None)]


def _order_of_values(part: Part, rows: Any) -> tuple[SortKey, ...]:
    columns = (rows.c[part.field], rows.c.created_at, rows.c.customer_id)
    return tuple(replace(key, column=of) for key, of in zip(part.keys, columns, strict=True))


def _by_value(statement: Select[Any], part: Part) -> tuple[Select[Any], tuple[SortKey, ...]]:
    """Those who have a value of a field in its order."""
    assert part.field is not None  # noqa: S101  (the caller has looked)
    rows, of_field = _values(part.field)
    statement = statement.add_columns(rows.c[part.field]).join(
        rows, rows.c.customer_id == customer.c.id
    )
    return statement.where(*of_field), _order_of_values(part, rows)


@lru_cache(_KINDS)
def count_statement(shape: Shape, *, sampled: bool) -> Select[Any]:
    """How many there are, of all or of a sample."""
    conditions = [*in_scope(), *conditions_of(shape.names, shape.fields)]
    if shape.of_teams is not None:
        conditions.append(is_seen(of_teams=shape.of_teams))
    if sampled:
        conditions.append(_SAMPLED)
    return select(func.count()).select_from(customer).where(*conditions)
