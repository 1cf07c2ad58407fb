"""Pages of customers: by filters in an order, or searched, the best match first."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Literal

from sqlalchemy import (
    Integer,
    bindparam,
    select,
)

from services.customer.customers.conditions import CustomerFilter, conditions_of, in_scope
from services.customer.customers.list_shapes import FEW, Shape
from services.customer.customers.list_statements import (
    SORTED,
    count_statement,
    few_statement,
    list_statement,
    walk_statement,
)
from services.customer.customers.models import customer
from services.customer.customers.ordering import NEWEST_FIRST, Part, Sort, resumed
from services.customer.customers.repository import CUSTOMER_COLUMNS, TENANT
from services.customer.customers.search import Search
from services.customer.customers.search_statements import (
    BEST_FIRST,
    HAS_BUYERS,
    buyers_statement,
    search_statement,
)
from services.customer.customers.sight import sources
from services.customer.fields.filtering import (
    FieldShape,
    count_of_matching,
)
from shared.db.merged import merged_page
from shared.db.paging import (
    MAX_LIMIT,
    PageRequest,
    SortKey,
    encode_cursor,
    keyset_values,
    next_cursor,
    parse_id,
    parse_instant,
)
from shared.db.prepared import Rows
from shared.db.tables import part_tables
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

WALKED_AT_MOST: Final = 20_000
"""How many customers a page of rare matches looks at."""

_SAMPLE: Final = 10_000
_SIZES: Final = (26, 51, 101, MAX_LIMIT + 1)
"""Rows of a page of everybody, rounded up: a few statements serve all sizes.

A limit that is a parameter makes PostgreSQL plan the list anew each time, which is what is wanted
of lists with conditions, and a third of the cost of one without.
"""
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

CustomerPage = tuple[Rows, str | None]
"""Rows that begin with the columns of a `CustomerRecord`, and the cursor of the next page."""

CountMode = Literal["exact", "estimate"]


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
        walk: int | None = None,
    ) -> CustomerPage:
        """A page of customers in an order, or the best match first if there is a search.

        With `walk` it looks at so many customers at most where no index leads to the next match:
        then a page may be short, or empty, and there may be more after it.
        """
        if search is not None:
            return await self._found(search, wanted, request)
        parameters, fields = self._asked(wanted, sort)
        if self._sight is not None and sort.is_newest_first:
            fields = await self._rarest_first(fields, parameters)
            return await self._seen(wanted, fields, parameters, request)
        return await self._sorted(wanted, fields, parameters, sort, request, walk)

    async def count(self, wanted: CustomerFilter, mode: CountMode) -> tuple[int, bool]:
        """How many customers there are, and whether that is exact.

        An estimate says of everybody what is true of the newest; its cost does not grow with them.
        """
        parameters, fields = self._asked(wanted, NEWEST_FIRST, can_drive=False)
        # Counting has no order to keep: the planner may come by the rows as it likes.
        fields = tuple(replace(shape, way="exists") for shape in fields)
        of_teams = self._sight.of_teams if self._sight is not None else None
        shape = Shape(tuple(sorted(wanted.names)), fields, NEWEST_FIRST, of_teams=of_teams)
        if mode == "estimate":
            sample = {**self._tenant, "sample": _SAMPLE}
            sampled_from = await self._uow.scalar(_NEWEST_OF_SAMPLE, sample)
            if sampled_from is not None:
                everybody = await self._uow.scalar(_COUNT_EVERYBODY, self._tenant)
                parameters["sampled_from"] = sampled_from
                found = await self._uow.scalar(count_statement(shape, sampled=True), parameters)
                return round(found * (everybody or _SAMPLE) / _SAMPLE), False
        return int(await self._uow.scalar(count_statement(shape, sampled=False), parameters)), True

    def _asked(
        self, wanted: CustomerFilter, sort: Sort, *, can_drive: bool = True
    ) -> tuple[dict[str, Any], tuple[FieldShape, ...]]:
        """The parameters of a list, and its conditions on fields; one of them may drive it."""
        parameters = {**self._tenant, **wanted.values}
        if self._sight is not None:
            parameters |= self._sight.parameters()
        for index, condition in enumerate(wanted.fields):
            parameters |= condition.parameters(index)
        if sort.field_id is not None:
            parameters[f"field_{SORTED}"] = sort.field_id
        shapes = [condition.shape(index) for index, condition in enumerate(wanted.fields)]
        can_drive &= sort.is_newest_first and self._sight is None and "tag" not in wanted.names
        for index, shape in enumerate(shapes):
            if can_drive and shape.is_in_order:
                shapes[index] = replace(shape, way="drive")
                break
        return parameters, tuple(shapes)

    async def _rarest_first(
        self, fields: tuple[FieldShape, ...], parameters: Mapping[str, Any]
    ) -> tuple[FieldShape, ...]:
        """The same conditions, one that few meet as that by which they are all found."""
        if not fields or any(shape.way == "drive" for shape in fields):
            return fields
        await self._uow.plan_anew()
        for index, shape in enumerate(fields):
            if "missing" not in shape.operators and await self._is_rare(shape, parameters):
                return (*fields[:index], replace(shape, way="few"), *fields[index + 1 :])
        return fields

    async def _is_rare(self, shape: FieldShape, parameters: Mapping[str, Any]) -> bool:
        statement = count_of_matching(shape, at_most=FEW)
        named = {
            name: value
            for name, value in parameters.items()
            if name == "tenant" or name.endswith(f"_{shape.index}")
        }
        return int(await self._uow.scalar(statement, named)) < FEW

    async def _sorted(
        self,
        wanted: CustomerFilter,
        fields: tuple[FieldShape, ...],
        parameters: Mapping[str, Any],
        sort: Sort,
        request: PageRequest,
        walk: int | None,
    ) -> CustomerPage:
        parts = sort.parts
        first, after = resumed(parts, request.cursor)
        names = tuple(sorted(wanted.names))
        of_teams = self._sight.of_teams if self._sight is not None else None
        found: list[Any] = []
        where: list[Part] = []
        for number in range(first, len(parts)):
            if parts[number].is_rest and _leaves_no_rest(wanted, sort):
                continue
            missing = request.limit + 1 - len(found)
            shape = Shape(names, fields, sort, number, after is not None, of_teams)
            place = parts[number].parameters(after)
            page = {**parameters, **place, "page_limit": missing}
            rows, horizon = await self._part(shape, page, walk)
            found += rows
            if horizon is not None:
                return found, parts[number].cursor(horizon)
            where += [parts[number]] * len(rows)
            after = None
            if len(found) > request.limit:
                break
        if len(found) <= request.limit:
            return found, None
        last = request.limit - 1
        return found[: request.limit], where[last].cursor(found[last])

    async def _part(
        self, shape: Shape, page: Mapping[str, Any], walk: int | None
    ) -> tuple[Rows, Any]:
        """What a page has of a part of its order, and where a walk has ended if there may be more.

        To count what is rare would cost more than to find what is not, so that comes first.
        """
        is_far = shape.is_to_be_walked
        if walk is not None and is_far and walk >= shape.glance:
            rows = await self._at_hand(shape, page)
            if rows is not None:
                return rows, None
        fields = await self._rarest_first(shape.fields, page)
        if fields is not shape.fields:
            shape = replace(shape, fields=fields)
            is_far = shape.is_to_be_walked
        return await self._looked_for(shape, page, walk, is_far=is_far)

    async def _at_hand(self, shape: Shape, page: Mapping[str, Any]) -> Rows | None:
        """The page if it is full, or ends, within a glance."""
        steps = shape.glance
        looked_at = await self._uow.rows(walk_statement(shape, steps=steps), page)
        rows = [row for row in looked_at if row.is_met]
        is_end = not looked_at or looked_at[-1].place < steps
        return rows if is_end or len(rows) == page["page_limit"] else None

    async def _looked_for(
        self, shape: Shape, page: Mapping[str, Any], walk: int | None, *, is_far: bool
    ) -> tuple[Rows, Any]:
        """The page by way of the few who meet a condition, or else by a walk if they are far."""
        few = await self._few(shape, page) if is_far else ()
        if few:
            shape = shape.found_by(few)
        if not (shape.few or shape.is_planned_once):
            await self._uow.plan_anew()
        if walk is not None and is_far and not few:
            looked_at = await self._uow.rows(walk_statement(shape), {**page, "walked": walk})
            rows = [row for row in looked_at if row.is_met]
            is_short = len(rows) < page["page_limit"] and looked_at
            return rows, looked_at[-1] if is_short and looked_at[-1].place == walk else None
        if shape.is_plain:
            fitting = next((size for size in _SIZES if size >= page["page_limit"]), None)
            shape = replace(shape, at_most=fitting)
        return await self._uow.rows(list_statement(shape), page), None

    async def _few(self, shape: Shape, parameters: Mapping[str, Any]) -> tuple[str, ...]:
        """The conditions of a list that few meet, so few that all of them are fetched."""
        for names in shape.found:
            values = (name.partition(":")[0] for name in names)
            asked = {name: parameters[name] for name in values if name in parameters}
            asked |= {**self._tenant, "at_most": FEW}
            if int(await self._uow.scalar(few_statement(names), asked)) < FEW:
                return names
        return ()

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
        parameters, fields = self._asked(wanted, NEWEST_FIRST, can_drive=False)
        fields = await self._rarest_first(fields, parameters)
        if search.means_an_order:
            page = await self._bought(search, wanted, fields, parameters, request)
            if page is not None:
                return page
        statement, asked = search.elsewhere()
        elsewhere = await self._uow.rows(statement, {**self._tenant, **asked})
        meant = [row.id for row in elsewhere if row.is_meant]
        shape = search.shape(
            wanted.names, fields, request, sight=self._sight, elsewhere=bool(elsewhere)
        )
        parameters |= search.parameters(request, shape, wanted.values) | keyset_values(
            BEST_FIRST, request
        )
        if elsewhere:
            parameters |= {"meant": meant, "elsewhere": [row.id for row in elsewhere]}
        rows = await self._uow.rows(search_statement(shape), parameters)
        return next_cursor(rows, BEST_FIRST, request.limit)

    async def _bought(
        self,
        search: Search,
        wanted: CustomerFilter,
        fields: tuple[FieldShape, ...],
        parameters: Mapping[str, Any],
        request: PageRequest,
    ) -> CustomerPage | None:
        """Those who have bought by a code, which nobody else is meant by; None for no such code."""
        shape = search.shape(wanted.names, fields, request, sight=self._sight)
        asked = {**parameters, **search.codes(), **keyset_values(BEST_FIRST, request)}
        rows = await self._uow.rows(buyers_statement(shape), asked)
        if rows or await self._uow.scalar(HAS_BUYERS, {**self._tenant, **search.codes()}):
            return next_cursor(rows, BEST_FIRST, request.limit)
        return None


def _leaves_no_rest(wanted: CustomerFilter, sort: Sort) -> bool:
    """Whether nobody is wanted who has nothing of what an order is by."""
    if sort.own is not None:
        of_field = (each for each in wanted.fields if each.field.id == sort.field_id)
        return any(each.values.get("exists") is not False for each in of_field)
    if sort.name in {"orders_count", "total_spent"}:
        return f"{sort.name}:some" in wanted.names
    return any(name.startswith(f"{sort.name}_") for name in wanted.names)
