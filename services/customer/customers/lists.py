"""Pages of customers: by filters in the order of creation, or searched, the best match first."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, Uuid, bindparam, exists, select

from services.customer.customers.models import customer, customer_tag
from services.customer.customers.repository import (
    CUSTOMER_COLUMNS,
    STANDS_FOR_ITSELF,
    TENANT,
)
from services.customer.customers.search import BEST_FIRST, Search
from services.customer.customers.sight import sources
from shared.db.merged import merged_page
from shared.db.paging import (
    PageRequest,
    SortKey,
    keyset,
    keyset_values,
    next_cursor,
    parse_id,
    parse_instant,
)
from shared.db.prepared import Rows
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

_ALL = select(*CUSTOMER_COLUMNS).where(customer.c.tenant_id == TENANT, STANDS_FOR_ITSELF)
_NEWEST_FIRST = (
    SortKey(customer.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(customer.c.id, "id", parse_id, descending=True),
)
# The same order, as the index of the tags has it.
_NEWEST_TAGGED_FIRST = (
    SortKey(customer_tag.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(customer_tag.c.customer_id, "id", parse_id, descending=True),
)
_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "stage": customer.c.stage == bindparam("stage", type_=Text),
    "source": customer.c.source == bindparam("source", type_=Text),
    "owner_id": customer.c.owner_id == bindparam("owner_id", type_=Uuid),
    "tag": customer_tag.c.tag == bindparam("tag", type_=Text),
    "created_from": customer.c.created_at >= bindparam("created_from", type_=Instant),
    "created_until": customer.c.created_at < bindparam("created_until", type_=Instant),
}

CustomerPage = tuple[Rows, str | None]
"""Rows that begin with the columns of a `CustomerRecord`, and the cursor of the next page."""


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """What a client wants in its list; None asks for nothing."""

    stage: str | None = None
    source: str | None = None
    owner_id: UUID | None = None
    tag: str | None = None
    created_from: datetime | None = None
    created_until: datetime | None = None


class CustomerLists:
    """Reads pages of customers, inside one unit of work, as far as a caller sees them."""

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._sight = sight

    async def page(
        self, search: Search | None, wanted: CustomerFilter, request: PageRequest
    ) -> CustomerPage:
        """A page of customers: the newest first, or the best match first if there is a search."""
        if search is None:
            return await self._newest(wanted, request)
        return await self._found(search, wanted, request)

    async def _newest(self, wanted: CustomerFilter, request: PageRequest) -> CustomerPage:
        filters = {name: value for name, value in asdict(wanted).items() if value is not None}
        if self._sight is not None:
            seen = _seen(frozenset(filters), request, of_teams=self._sight.of_teams)
            filters |= self._sight.parameters()
            return await self._read(seen, _NEWEST_FIRST, filters, request)
        statement = _list(frozenset(filters), is_continued=request.cursor is not None)
        return await self._read(statement, _NEWEST_FIRST, filters, request)

    async def _found(
        self, search: Search, wanted: CustomerFilter, request: PageRequest
    ) -> CustomerPage:
        if not search.words:
            return [], None
        parameters = {**asdict(wanted), **search.parameters(request)}
        if self._sight is not None:
            parameters |= self._sight.parameters()
        statement = search.statement(request, sight=self._sight)
        return await self._read(statement, BEST_FIRST, parameters, request)

    async def _read(
        self,
        statement: Select[Any],
        order: Sequence[SortKey],
        parameters: Mapping[str, Any],
        request: PageRequest,
    ) -> CustomerPage:
        page = {"tenant": self._uow.tenant_id, **keyset_values(order, request)}
        rows = await self._uow.rows(statement, {**parameters, **page})
        return next_cursor(rows, order, request.limit)


@lru_cache
def _list(filters: frozenset[str], *, is_continued: bool) -> Select[Any]:
    """One statement for each combination of filters, so that each is prepared once."""
    statement = _ALL.where(*(_CONDITIONS[name] for name in sorted(filters)))
    if "tag" not in filters:
        return keyset(statement, _NEWEST_FIRST, continued=is_continued)
    statement = statement.join(
        customer_tag,
        (customer_tag.c.tenant_id == TENANT) & (customer_tag.c.customer_id == customer.c.id),
    )
    return keyset(statement, _NEWEST_TAGGED_FIRST, continued=is_continued)


def _seen(filters: frozenset[str], request: PageRequest, *, of_teams: bool) -> Select[Any]:
    """The page of a caller who does not see everybody; a tag is looked up for each customer."""
    conditions = [_CONDITIONS[name] for name in sorted(filters - {"tag"})]
    if "tag" in filters:
        tagged = exists().where(
            customer_tag.c.tenant_id == TENANT,
            customer_tag.c.customer_id == customer.c.id,
            _CONDITIONS["tag"],
        )
        conditions.append(tagged)
    return merged_page(
        customer,
        CUSTOMER_COLUMNS,
        sources(of_teams=of_teams),
        where=[customer.c.tenant_id == TENANT, STANDS_FOR_ITSELF, *conditions],
        order=_NEWEST_FIRST,
        request=request,
    )
