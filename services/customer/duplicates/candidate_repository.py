"""SQL of what callers see of duplicate candidates."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Uuid, and_, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from services.customer.colleagues.sight import customer_is_seen
from services.customer.duplicates.errors import DuplicateNotFound
from services.customer.duplicates.models import customer_record, duplicate_candidate
from shared.db.aliases import stands_for
from shared.db.paging import (
    PageRequest,
    SortKey,
    encode_cursor,
    in_order,
    next_cursor,
    page,
    parse_id,
    parse_instant,
)
from shared.db.sighted import Sighted
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

MOST_WALKED = 5_000
"""So many pairs a page is looked for among where no index leads to the next one."""

NEWEST_FIRST = (
    SortKey(duplicate_candidate.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(duplicate_candidate.c.id, "id", parse_id, descending=True),
)
CandidateOrder = Literal["-created_at", "-score"]
ORDERS: Final[Mapping[CandidateOrder, Sequence[SortKey]]] = {
    "-created_at": NEWEST_FIRST,
    "-score": (
        SortKey(duplicate_candidate.c.score, "score", int, descending=True),
        SortKey(duplicate_candidate.c.id, "id", parse_id, descending=True),
    ),
}

_TENANT = bindparam("tenant", type_=Uuid)
_by_id = select(duplicate_candidate).where(
    duplicate_candidate.c.tenant_id == _TENANT,
    duplicate_candidate.c.id == bindparam("id", type_=Uuid),
)


def _stands_for(customer_id: ColumnElement[Any]) -> ColumnElement[Any]:
    named = customer_record.alias()
    return (
        select(stands_for(named))
        .where(named.c.tenant_id == _TENANT, named.c.id == customer_id)
        .correlate(duplicate_candidate)
        .scalar_subquery()
    )


def _is_seen(*, of_teams: bool) -> ColumnElement[bool]:
    """A pair is seen by who sees both."""
    return and_(
        customer_is_seen(_stands_for(duplicate_candidate.c.older_id), of_teams=of_teams),
        customer_is_seen(_stands_for(duplicate_candidate.c.newer_id), of_teams=of_teams),
    )


_BY_ID = Sighted(_by_id, _is_seen)
_LOCK = Sighted(_by_id.with_for_update(), _is_seen)


@dataclass(frozen=True, slots=True)
class CandidateFilter:
    """Which pairs a client wants; None asks for nothing."""

    member_ids: tuple[UUID, ...] | None = None
    """Of any of these records."""
    min_score: int | None = None
    reason: str | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """What holds of the pairs, but for the reason, which no index serves."""
        pair = duplicate_candidate.c
        if self.member_ids is not None:
            of_them = func.any(bindparam("of_members", list(self.member_ids), type_=ARRAY(Uuid)))
            yield or_(pair.older_id == of_them, pair.newer_id == of_them)
        if self.min_score is not None:
            yield pair.score >= self.min_score


class CandidateRepository:
    """Reads pairs inside one unit of work, as far as a caller sees both customers."""

    def __init__(
        self, uow: UnitOfWork, *, sight: Sight | None = None, walk: int = MOST_WALKED
    ) -> None:
        self._uow = uow
        self._sight = sight
        self._walked = walk

    async def page(
        self,
        *,
        status: str,
        wanted: CandidateFilter,
        sort: CandidateOrder,
        request: PageRequest,
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of the pairs of one status that the filter lets through."""
        pair, order = duplicate_candidate.c, ORDERS[sort]
        found = select(duplicate_candidate).where(pair.tenant_id == _TENANT, pair.status == status)
        found = found.where(*wanted.conditions())
        looked_for = []
        if wanted.reason is not None:
            looked_for.append(pair.reasons.contains([wanted.reason]))
        if self._sight is not None:
            looked_for.append(_is_seen(of_teams=self._sight.of_teams))
        if looked_for:
            return await self._walk(found, and_(*looked_for), order, request)
        rows = await self._uow.rows(page(found, order, request), self._asked())
        return next_cursor(rows, order, request.limit)

    async def _walk(
        self,
        found: Select[Any],
        looked_for: ColumnElement[bool],
        order: Sequence[SortKey],
        request: PageRequest,
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of what is looked for along the order, and no further than so far.

        A page may then be short, even empty, with a cursor that goes on behind it.
        """
        place = func.row_number().over(order_by=in_order(order)).label("place")
        walk = PageRequest(limit=self._walked - 1, cursor=request.cursor)
        asked = found.add_columns(place, looked_for.label("is_met"))
        walked = page(asked, order, walk).subquery("walked")
        walked_order = [replace(key, column=walked.c[key.column.name]) for key in order]
        shown = (
            select(walked)
            .where(or_(walked.c.is_met, walked.c.place == self._walked))
            .order_by(*in_order(walked_order))
            .limit(request.limit + 1)
        )
        rows = await self._uow.rows(shown, self._asked())
        if len(rows) > request.limit or not rows or rows[-1].place < self._walked:
            return next_cursor(rows, order, request.limit)
        cursor = encode_cursor([getattr(rows[-1], key.name) for key in order])
        return [row for row in rows if row.is_met], cursor

    async def get(self, pair_id: UUID, *, lock: bool = False) -> Row[*tuple[Any, ...]]:
        """Raises DuplicateNotFound."""
        statement, seen = (_LOCK if lock else _BY_ID).seen_by(self._sight)
        asked = {"tenant": self._uow.tenant_id, **seen, "id": pair_id}
        row = await self._uow.one_or_none(statement, asked)
        if row is None:
            raise DuplicateNotFound
        return row

    def _asked(self) -> dict[str, Any]:
        """The tenant, and who looks."""
        tenant = {"tenant": self._uow.tenant_id}
        return tenant if self._sight is None else {**tenant, **self._sight.parameters()}
