"""SQL of duplicate candidates."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Text,
    Uuid,
    and_,
    bindparam,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from services.customer.colleagues.sight import customer_is_seen
from services.customer.duplicates.errors import DuplicateNotFound
from services.customer.duplicates.models import duplicate_candidate
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.rows import RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.security.sight import Sight

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
_NOW = bindparam("now", type_=Instant)
_COLUMNS = ("id", "older_id", "newer_id", "score", "reasons")
_pairs = RowsParameter("pair", duplicate_candidate, _COLUMNS)
_new_pair = insert(duplicate_candidate).from_select(
    ["tenant_id", *_COLUMNS, "status", "created_at", "updated_at", "version"],
    select(
        _TENANT,
        *_pairs.source.c,
        bindparam("status", type_=Text),
        _NOW.label("created_at"),
        _NOW.label("updated_at"),
        bindparam("version", type_=duplicate_candidate.c.version.type),
    ),
)
# A pair that a person has dismissed stays dismissed; an open one is told of its best evidence.
_PROPOSE = _new_pair.on_conflict_do_update(
    index_elements=["tenant_id", "older_id", "newer_id"],
    set_={
        "score": _new_pair.excluded.score,
        "reasons": _new_pair.excluded.reasons,
        "updated_at": _new_pair.excluded.updated_at,
        "version": duplicate_candidate.c.version + 1,
    },
    where=(duplicate_candidate.c.status == "open")
    & (duplicate_candidate.c.score < _new_pair.excluded.score),
)
_BY_ID = select(duplicate_candidate).where(
    duplicate_candidate.c.tenant_id == _TENANT,
    duplicate_candidate.c.id == bindparam("id", type_=Uuid),
)
_LOCK = _BY_ID.with_for_update()
_DECIDE = (
    update(duplicate_candidate)
    .where(
        duplicate_candidate.c.tenant_id == _TENANT,
        duplicate_candidate.c.id == bindparam("pair_id", type_=Uuid),
    )
    .values(
        status=bindparam("new_status", type_=Text),
        updated_at=_NOW,
        version=duplicate_candidate.c.version + 1,
    )
    .returning(*duplicate_candidate.c)
)
# A pair is seen by who sees both.
_BOTH_SEEN = {
    of_teams: and_(
        customer_is_seen(duplicate_candidate.c.older_id, of_teams=of_teams),
        customer_is_seen(duplicate_candidate.c.newer_id, of_teams=of_teams),
    )
    for of_teams in (False, True)
}
_SEEN = {
    statement: {of_teams: statement.where(seen) for of_teams, seen in _BOTH_SEEN.items()}
    for statement in (_BY_ID, _LOCK)
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two customers who may be one, how likely (1 to 100) and by what codes of evidence."""

    first: UUID
    second: UUID
    score: int
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class CandidateFilter:
    """Which pairs a client wants; None asks for nothing."""

    customer_id: UUID | None = None
    min_score: int | None = None
    reason: str | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """What holds of the pairs. A reason is looked for along the page's order."""
        pair = duplicate_candidate.c
        if self.customer_id is not None:
            yield or_(pair.older_id == self.customer_id, pair.newer_id == self.customer_id)
        if self.min_score is not None:
            yield pair.score >= self.min_score
        if self.reason is not None:
            yield pair.reasons.contains([self.reason])


class DuplicateRepository:
    """Duplicate candidates, inside one unit of work.

    What a caller asks for (`page`, `get`) is narrowed to their `sight`.
    """

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._sight = sight

    async def propose(self, proposals: Iterable[Proposal]) -> None:
        """Keep pairs for a person to look at; each pair once, with its highest score."""
        best: dict[tuple[UUID, UUID], Proposal] = {}
        for proposal in proposals:
            first, second = sorted((proposal.first, proposal.second))
            known = best.get((first, second))
            if known is None or known.score < proposal.score:
                best[first, second] = proposal
        if not best:
            return
        rows = [
            {
                "id": new_id(),
                "older_id": older,
                "newer_id": newer,
                "score": proposal.score,
                "reasons": list(proposal.reasons),
            }
            for (older, newer), proposal in sorted(best.items())
        ]
        parameters = {"tenant": self._uow.tenant_id, "now": self._uow.clock.now()}
        await self._uow.execute(
            _PROPOSE, {**parameters, "status": "open", "version": 1, **_pairs.values(rows)}
        )

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
        if self._sight is not None:
            found = found.where(_BOTH_SEEN[self._sight.of_teams])
        rows = await self._uow.rows(page(found, order, request), self._asked())
        return next_cursor(rows, order, request.limit)

    async def get(self, pair_id: UUID, *, lock: bool = False) -> Row[*tuple[Any, ...]]:
        """Raises DuplicateNotFound."""
        statement = _LOCK if lock else _BY_ID
        if self._sight is not None:
            statement = _SEEN[statement][self._sight.of_teams]
        row = await self._uow.one_or_none(statement, {**self._asked(), "id": pair_id})
        if row is None:
            raise DuplicateNotFound
        return row

    async def decide(self, pair_id: UUID, status: str) -> Row[*tuple[Any, ...]]:
        """The pair with its new status."""
        parameters = {"tenant": self._uow.tenant_id, "pair_id": pair_id, "new_status": status}
        return await self._uow.one(_DECIDE, {**parameters, "now": self._uow.clock.now()})

    def _asked(self) -> dict[str, Any]:
        """The tenant, and who looks."""
        tenant = {"tenant": self._uow.tenant_id}
        return tenant if self._sight is None else {**tenant, **self._sight.parameters()}
