"""Lists of customers: filters in the order of creation, and search by name, code and contacts.

A search ranks the newest `SEARCHED_AT_MOST` matches, so that its cost does not follow the number
of customers called Nguyễn. The matches themselves come from a function of the schema (see
`search_function`), because row-level security keeps `LIKE` from using an index.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    Text,
    bindparam,
    case,
    column,
    func,
    select,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.customer.customers.models import customer, customer_tag
from services.customer.customers.record import COLUMNS, CustomerRecord
from services.customer.customers.repository import CUSTOMER_COLUMNS, TENANT
from shared.db.paging import (
    PageRequest,
    SortKey,
    keyset,
    keyset_values,
    next_cursor,
    parse_id,
    parse_instant,
)
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.phone import normalise_phone
from shared.text import search_key

SEARCHED_AT_MOST = 200
_MAX_WORDS = 6
_LOOKS_LIKE_PHONE = re.compile(r"\+?\d[\d\s.()-]{7,}")

_ALL = select(*CUSTOMER_COLUMNS).where(customer.c.tenant_id == TENANT)
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
    "tag": customer_tag.c.tag == bindparam("tag", type_=Text),
    "created_from": customer.c.created_at >= bindparam("created_from", type_=Instant),
    "created_until": customer.c.created_at < bindparam("created_until", type_=Instant),
}


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """What a client wants in its list; None asks for nothing."""

    text: str | None = None
    stage: str | None = None
    source: str | None = None
    tag: str | None = None
    created_from: datetime | None = None
    created_until: datetime | None = None


class CustomerLists:
    """Reads pages of customers, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def page(
        self, wanted: CustomerFilter, request: PageRequest, *, region: str
    ) -> tuple[list[CustomerRecord], str | None]:
        """Customers and the next page's cursor; newest first, or best match first if searched.

        `region` is where phone numbers in the searched text are dialled.
        """
        if wanted.text is None:
            return await self._read(
                _list(frozenset(_filters(wanted)), is_continued=request.cursor is not None),
                _NEWEST_FIRST,
                _filters(wanted),
                request,
            )
        words = _words(wanted.text, region)
        if not words:
            return [], None
        search = _search(
            is_continued=request.cursor is not None,
            is_number=len(words) == 1 and words[0].isdigit(),
        )
        return await self._read(search, _BEST_FIRST, _search_parameters(words, wanted), request)

    async def _read(
        self,
        statement: Select[Any],
        order: Sequence[SortKey],
        parameters: dict[str, Any],
        request: PageRequest,
    ) -> tuple[list[CustomerRecord], str | None]:
        parameters = {**parameters, **keyset_values(order, request)}
        rows = await self._uow.rows(statement, {"tenant": self._uow.tenant_id, **parameters})
        kept, cursor = next_cursor(rows, order, request.limit)
        return [CustomerRecord.of(row) for row in kept], cursor


def _filters(wanted: CustomerFilter) -> dict[str, Any]:
    """The filters that were asked for, by the names of their parameters."""
    given = {name: getattr(wanted, name) for name in _CONDITIONS}
    return {name: value for name, value in given.items() if value is not None}


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


@lru_cache
def _search(*, is_continued: bool, is_number: bool) -> Select[Any]:
    return keyset(_SEARCHES[is_number], _BEST_FIRST, continued=is_continued)


def _words(text: str, region: str) -> list[str]:
    """What must all be found: the words of a name, or one phone number in its stored form."""
    key = search_key(text)
    if _LOOKS_LIKE_PHONE.fullmatch(key):
        return [normalise_phone(key, region=region).e164 or re.sub(r"\D", "", key)]
    words = [word for word in key.split() if any(char.isalnum() for char in word)]
    return words[:_MAX_WORDS]


def _patterns(words: Sequence[str]) -> Iterator[str]:
    for word in words:
        # Shorter than a trigram, a word would match nearly everybody unless it begins one.
        yield f"%{_literal(word)}%" if len(word) > 2 else f"% {_literal(word)}%"


def _literal(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _search_parameters(words: Sequence[str], wanted: CustomerFilter) -> dict[str, Any]:
    phrase = _literal(" ".join(words))
    return {
        "patterns": list(_patterns(words)),
        "endings": [f"%{phrase} %"],
        "whole": f"% {phrase} %",
        "ending": f"%{phrase} %",
        "beginning": f"% {phrase}%",
        "at_most": SEARCHED_AT_MOST,
        "stage": wanted.stage,
        "source": wanted.source,
        "tag": wanted.tag,
        "created_from": wanted.created_from,
        "created_until": wanted.created_until,
    }


def _matches(patterns: str) -> Select[Any]:
    """The newest customers whose search key matches every pattern of a parameter."""
    found = (
        func.customer.search_customers(
            bindparam(patterns, type_=ARRAY(Text)),
            bindparam("stage", type_=Text),
            bindparam("source", type_=Text),
            bindparam("tag", type_=Text),
            bindparam("created_from", type_=Instant),
            bindparam("created_until", type_=Instant),
            bindparam("at_most", type_=Integer),
        )
        .table_valued(*(column(name, customer.c[name].type) for name in COLUMNS))
        .alias(f"matching_{patterns}")
    )
    return select(*found.c)


def _ranked(matches: Select[Any] | CompoundSelect[Any]) -> Select[Any]:
    found = matches.subquery("found")
    key = found.c.search_key
    rank = case(
        (key.like(bindparam("whole", type_=Text)), 4),
        (key.like(bindparam("ending", type_=Text)), 3),
        (key.like(bindparam("beginning", type_=Text)), 2),
        else_=1,
    )
    ranked = select(*found.c, rank.label("rank")).subquery("ranked")
    return select(*ranked.c)


# Digits may be the end of a phone number or of a code; among the newest matches alone those could
# be missed, since so many other numbers contain the same digits.
_SEARCHES = {
    False: _ranked(_matches("patterns")),
    True: _ranked(union(_matches("patterns"), _matches("endings"))),
}
_BEST_FIRST = (
    SortKey(column("rank", Integer), "rank", int, descending=True),
    SortKey(column("created_at", Instant), "created_at", parse_instant, descending=True),
    SortKey(column("id", customer.c.id.type), "id", parse_id, descending=True),
)
