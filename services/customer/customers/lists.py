"""Pages of customers: by filters in an order, or searched, the best match first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Text,
    Uuid,
    bindparam,
    func,
    select,
)

from services.customer.customers.conditions import CustomerFilter, conditions_of, in_scope
from services.customer.customers.models import customer, customer_tag
from services.customer.customers.ordering import NEWEST_FIRST, Part, Sort, resumed
from services.customer.customers.repository import CUSTOMER_COLUMNS, TENANT
from services.customer.customers.search import BEST_FIRST, BUYERS, Search, search_statement
from services.customer.customers.sight import is_seen, sources
from services.customer.fields.filtering import (
    FieldShape,
    count_of_matching,
    matching,
    rows_of,
)
from shared.db.merged import merged_page
from shared.db.paging import (
    PageRequest,
    SortKey,
    encode_cursor,
    keyset,
    keyset_values,
    next_cursor,
    parse_id,
    parse_instant,
)
from shared.db.prepared import Rows
from shared.db.tables import Instant, part_tables
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

_FEW: Final = 2000
"""So many customers are cheaper to fetch and sort than to be met on a walk through the list."""

_SAMPLE: Final = 10_000
_KINDS: Final = 512
_SORTED: Final = "sort"
_NEWEST: Final = (
    SortKey(customer.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(customer.c.id, "id", parse_id, descending=True),
)
_COUNTER: Final = part_tables("customer").code_counter
_COUNT_EVERYBODY: Final = select(_COUNTER.c.next_value - 1).where(
    _COUNTER.c.tenant_id == TENANT, _COUNTER.c.kind == "customer"
)
_NEWEST_OF_SAMPLE: Final = (
    select(customer.c.created_at)
    .where(customer.c.tenant_id == TENANT)
    .order_by(customer.c.created_at.desc(), customer.c.id.desc())
    .offset(bindparam("sample", type_=Integer))
    .limit(1)
)
_SAMPLED: Final = customer.c.created_at > bindparam("sampled_from", type_=Instant)

CustomerPage = tuple[Rows, str | None]
"""Rows that begin with the columns of a `CustomerRecord`, and the cursor of the next page."""

CountMode = Literal["exact", "estimate"]


@dataclass(frozen=True, slots=True)
class _Shape:
    """A list without its values: what has the same shape is the same statement."""

    names: tuple[str, ...]
    fields: tuple[FieldShape, ...]
    sort: Sort
    part: int = 0
    continued: bool = False
    of_teams: bool | None = None


class CustomerLists:
    """Reads pages of customers, inside one unit of work, as far as a caller sees them.

    Records that were merged into others are passed over.
    """

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._sight = sight
        self._tenant = {"tenant": uow.tenant_id}

    async def page(
        self,
        search: Search | None,
        wanted: CustomerFilter,
        request: PageRequest,
        *,
        sort: Sort = NEWEST_FIRST,
    ) -> CustomerPage:
        """A page of customers in an order, or the best match first if there is a search."""
        if search is not None:
            return await self._found(search, wanted, request)
        parameters, fields = await self._asked(wanted, sort)
        if self._sight is not None and sort.is_newest_first:
            return await self._seen(wanted, fields, parameters, request)
        return await self._sorted(wanted, fields, parameters, sort, request)

    async def count(self, wanted: CustomerFilter, mode: CountMode) -> tuple[int, bool]:
        """How many customers there are, and whether that is exact.

        An estimate says of everybody what is true of the newest; its cost does not grow with them.
        """
        parameters, fields = await self._asked(wanted, NEWEST_FIRST, can_drive=False)
        # Counting has no order to keep: the planner may come by the rows as it likes.
        fields = tuple(replace(shape, way="exists") for shape in fields)
        of_teams = self._sight.of_teams if self._sight is not None else None
        shape = _Shape(tuple(sorted(wanted.names)), fields, NEWEST_FIRST, of_teams=of_teams)
        if mode == "estimate":
            sample = {**self._tenant, "sample": _SAMPLE}
            sampled_from = await self._uow.scalar(_NEWEST_OF_SAMPLE, sample)
            if sampled_from is not None:
                everybody = await self._uow.scalar(_COUNT_EVERYBODY, self._tenant)
                parameters["sampled_from"] = sampled_from
                found = await self._uow.scalar(_count(shape, sampled=True), parameters)
                return round(found * (everybody or _SAMPLE) / _SAMPLE), False
        return int(await self._uow.scalar(_count(shape, sampled=False), parameters)), True

    async def _asked(
        self, wanted: CustomerFilter, sort: Sort, *, can_drive: bool = True
    ) -> tuple[dict[str, Any], tuple[FieldShape, ...]]:
        """The parameters of a list, and how each condition on a field is come by."""
        parameters = {**self._tenant, **wanted.values}
        if self._sight is not None:
            parameters |= self._sight.parameters()
        for index, condition in enumerate(wanted.fields):
            parameters |= condition.parameters(index)
        if sort.field_id is not None:
            parameters[f"field_{_SORTED}"] = sort.field_id
        shapes = [condition.shape(index) for index, condition in enumerate(wanted.fields)]
        can_drive &= sort.is_newest_first and self._sight is None and "tag" not in wanted.names
        for index, shape in enumerate(shapes):
            if can_drive and shape.is_in_order:
                shapes[index] = replace(shape, way="drive")
                break
        else:
            for index, shape in enumerate(shapes):
                if "missing" not in shape.operators and await self._is_rare(shape, parameters):
                    shapes[index] = replace(shape, way="few")
                    break
        return parameters, tuple(shapes)

    async def _is_rare(self, shape: FieldShape, parameters: Mapping[str, Any]) -> bool:
        statement = count_of_matching(shape, at_most=_FEW)
        named = {
            name: value
            for name, value in parameters.items()
            if name == "tenant" or name.endswith(f"_{shape.index}")
        }
        return int(await self._uow.scalar(statement, named)) < _FEW

    async def _sorted(
        self,
        wanted: CustomerFilter,
        fields: tuple[FieldShape, ...],
        parameters: Mapping[str, Any],
        sort: Sort,
        request: PageRequest,
    ) -> CustomerPage:
        parts = sort.parts
        first, after = resumed(parts, request.cursor)
        names = tuple(sorted(wanted.names))
        of_teams = self._sight.of_teams if self._sight is not None else None
        found: list[Any] = []
        where: list[Part] = []
        for number in range(first, len(parts)):
            missing = request.limit + 1 - len(found)
            shape = _Shape(names, fields, sort, number, after is not None, of_teams)
            place = parts[number].parameters(after)
            page = {**parameters, **place, "page_limit": missing}
            rows = await self._uow.rows(_statement(shape), page)
            found += rows
            where += [parts[number]] * len(rows)
            after = None
            if len(found) > request.limit:
                break
        if len(found) <= request.limit:
            return found, None
        last = request.limit - 1
        return found[: request.limit], where[last].cursor(found[last])

    async def _seen(
        self,
        wanted: CustomerFilter,
        fields: tuple[FieldShape, ...],
        parameters: Mapping[str, Any],
        request: PageRequest,
    ) -> CustomerPage:
        """The newest of a caller who does not see everybody, from one index range per owner."""
        assert self._sight is not None  # noqa: S101  (the caller has looked)
        part = NEWEST_FIRST.parts[0]
        _, after = resumed([part], request.cursor)
        statement = merged_page(
            customer,
            CUSTOMER_COLUMNS,
            sources(of_teams=self._sight.of_teams),
            where=[*in_scope(), *conditions_of(tuple(sorted(wanted.names)), fields)],
            order=_NEWEST,
            request=PageRequest(request.limit, encode_cursor(after) if after else None),
        )
        rows = await self._uow.rows(statement, parameters)
        if len(rows) <= request.limit:
            return rows, None
        return rows[: request.limit], part.cursor(rows[request.limit - 1])

    async def _found(
        self, search: Search, wanted: CustomerFilter, request: PageRequest
    ) -> CustomerPage:
        if not search.words:
            return [], None
        parameters, fields = await self._asked(wanted, NEWEST_FIRST, can_drive=False)
        buyers: Sequence[UUID] = ()
        if search.order_codes:
            codes = {**self._tenant, "order_codes": list(search.order_codes)}
            buyers = await self._uow.scalars(BUYERS, codes)
        shape = search.shape(
            wanted.names, fields, request, sight=self._sight, by_order=bool(buyers)
        )
        parameters |= search.parameters(request, shape, wanted.values) | keyset_values(
            BEST_FIRST, request
        )
        parameters |= {"buyers": list(buyers)} if buyers else {}
        rows = await self._uow.rows(search_statement(shape), parameters)
        return next_cursor(rows, BEST_FIRST, request.limit)


@lru_cache(_KINDS)
def _statement(shape: _Shape) -> Select[Any]:
    """One statement for each kind of list, so that each is prepared once."""
    part = shape.sort.parts[shape.part]
    statement = select(*CUSTOMER_COLUMNS).where(*in_scope())
    if shape.of_teams is not None:
        statement = statement.where(is_seen(of_teams=shape.of_teams))
    names, order = shape.names, part.keys
    driving = next((each for each in shape.fields if each.way == "drive"), None)
    if part.field is not None:
        statement, order = _by_value(statement, part)
    elif driving is not None:
        rows = rows_of(driving.index)
        statement = statement.join(rows, rows.c.customer_id == customer.c.id)
        statement, order = statement.where(*matching(driving)), _newest_of(rows, rows.c.customer_id)
    elif shape.sort.is_newest_first and "tag" in names:
        names = tuple(name for name in names if name != "tag")
        of_tag = customer_tag.c.tag == bindparam("tag", type_=Text)
        statement = statement.join(customer_tag, customer_tag.c.customer_id == customer.c.id)
        statement = statement.where(customer_tag.c.tenant_id == TENANT, of_tag)
        order = _newest_of(customer_tag, customer_tag.c.customer_id)
    if part.condition is not None:
        statement = statement.where(part.condition)
    statement = statement.where(*conditions_of(names, shape.fields))
    return keyset(statement, order, continued=shape.continued)


def _newest_of(rows: Any, customer_id: ColumnElement[Any]) -> tuple[SortKey, ...]:
    """The newest first, as an index of another table has them."""
    return (
        SortKey(rows.c.created_at, "created_at", parse_instant, descending=True),
        SortKey(customer_id, "id", parse_id, descending=True),
    )


def _by_value(statement: Select[Any], part: Part) -> tuple[Select[Any], tuple[SortKey, ...]]:
    """Those who have a value of a field in its order, or those who have none."""
    assert part.field is not None  # noqa: S101  (the caller has looked)
    rows = rows_of(_SORTED)
    column = rows.c[part.field]
    of_field = (
        rows.c.tenant_id == TENANT,
        rows.c.field_id == bindparam(f"field_{_SORTED}", type_=Uuid),
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
def _count(shape: _Shape, *, sampled: bool) -> Select[Any]:
    conditions = [*in_scope(), *conditions_of(shape.names, shape.fields)]
    if shape.of_teams is not None:
        conditions.append(is_seen(of_teams=shape.of_teams))
    if sampled:
        conditions.append(_SAMPLED)
    return select(func.count()).select_from(customer).where(*conditions)
