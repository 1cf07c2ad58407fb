"""SQL of duplicate candidates."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
    column,
    func,
    or_,
    select,
    table,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.colleagues.sight import customer_is_seen
from services.customer.duplicates.errors import DuplicateNotFound
from services.customer.duplicates.models import duplicate_candidate
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.rows import RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.security.sight import Sight

SAID_BY_HAND = "said_by_hand"
"""The reason of a pair that a person has named."""

_SAID_BY_HAND = 100

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
# The customers' own slice stands on this one, so only what is asked of the table is known here.
_customer = table(
    "customer",
    column("tenant_id", Uuid),
    column("id", Uuid),
    column("merged_into", Uuid),
    schema="customer",
)
_ROOTS = bindparam("roots", type_=ARRAY(Uuid))
_MEMBERS = bindparam("members", type_=ARRAY(Uuid))
_member = union_all(
    select(_customer.c.id, _customer.c.id.label("root_id")).where(
        _customer.c.tenant_id == _TENANT, _customer.c.id == func.any(_ROOTS)
    ),
    select(_customer.c.id, _customer.c.merged_into.label("root_id")).where(
        _customer.c.tenant_id == _TENANT, _customer.c.merged_into == func.any(_ROOTS)
    ),
).cte("member")
_older, _newer = _member.alias("older"), _member.alias("newer")
_TOLD_APART = (
    select(_older.c.root_id.label("first"), _newer.c.root_id.label("second"))
    .distinct()
    .select_from(_older)
    .join(
        duplicate_candidate,
        (duplicate_candidate.c.tenant_id == _TENANT)
        & (duplicate_candidate.c.older_id == _older.c.id)
        & (duplicate_candidate.c.status == "dismissed"),
    )
    .join(_newer, _newer.c.id == duplicate_candidate.c.newer_id)
    .where(_older.c.root_id != _newer.c.root_id)
)
_BETWEEN = (
    duplicate_candidate.c.tenant_id == _TENANT,
    duplicate_candidate.c.older_id == func.any(_MEMBERS),
    duplicate_candidate.c.newer_id == func.any(_MEMBERS),
)
_MERGED = (
    update(duplicate_candidate)
    .where(*_BETWEEN, duplicate_candidate.c.status == "open")
    .values(
        status=bindparam("new_status", type_=Text),
        merge_id=bindparam("merge", type_=Uuid),
        updated_at=_NOW,
        version=duplicate_candidate.c.version + 1,
    )
    .returning(duplicate_candidate.c.id)
)
_OTHERS = bindparam("others", type_=ARRAY(Uuid))
_DISMISS_BETWEEN = (
    update(duplicate_candidate)
    .where(
        duplicate_candidate.c.tenant_id == _TENANT,
        duplicate_candidate.c.status == "open",
        or_(
            and_(
                duplicate_candidate.c.older_id == func.any(_MEMBERS),
                duplicate_candidate.c.newer_id == func.any(_OTHERS),
            ),
            and_(
                duplicate_candidate.c.older_id == func.any(_OTHERS),
                duplicate_candidate.c.newer_id == func.any(_MEMBERS),
            ),
        ),
    )
    .values(
        status=bindparam("new_status", type_=Text),
        updated_at=_NOW,
        version=duplicate_candidate.c.version + 1,
    )
)
_DECIDE_PAIRS = _new_pair.on_conflict_do_update(
    index_elements=["tenant_id", "older_id", "newer_id"],
    set_={
        "status": _new_pair.excluded.status,
        "updated_at": _new_pair.excluded.updated_at,
        "version": duplicate_candidate.c.version + 1,
    },
).returning(duplicate_candidate.c.id)
_REOPENED = (
    update(duplicate_candidate)
    .where(
        duplicate_candidate.c.tenant_id == _TENANT,
        duplicate_candidate.c.id == func.any(bindparam("pairs", type_=ARRAY(Uuid))),
        duplicate_candidate.c.merge_id == bindparam("merge", type_=Uuid),
    )
    .values(
        status=bindparam("new_status", type_=Text),
        merge_id=None,
        updated_at=_NOW,
        version=duplicate_candidate.c.version + 1,
    )
)
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


def _stands_for(customer_id: ColumnElement[Any]) -> ColumnElement[Any]:
    named = _customer.alias()
    return (
        select(func.coalesce(named.c.merged_into, named.c.id))
        .where(named.c.tenant_id == _TENANT, named.c.id == customer_id)
        .correlate(duplicate_candidate)
        .scalar_subquery()
    )


# A pair is seen by who sees both.
_BOTH_SEEN = {
    of_teams: and_(
        customer_is_seen(_stands_for(duplicate_candidate.c.older_id), of_teams=of_teams),
        customer_is_seen(_stands_for(duplicate_candidate.c.newer_id), of_teams=of_teams),
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

    member_ids: tuple[UUID, ...] | None = None
    """Of any of these records."""
    min_score: int | None = None
    reason: str | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """What holds of the pairs. A reason is looked for along the page's order."""
        pair = duplicate_candidate.c
        if self.member_ids is not None:
            of_them = func.any(bindparam("of_members", list(self.member_ids), type_=ARRAY(Uuid)))
            yield or_(pair.older_id == of_them, pair.newer_id == of_them)
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
        """Keep pairs for a person to look at; each pair once, with its highest score.

        The proposals name people by who stands for them. Two whom a person has told apart, by
        whichever of their records, are not proposed.
        """
        best: dict[tuple[UUID, UUID], Proposal] = {}
        for proposal in proposals:
            first, second = sorted((proposal.first, proposal.second))
            known = best.get((first, second))
            if known is None or known.score < proposal.score:
                best[first, second] = proposal
        if best:
            apart = await self.told_apart({customer_id for pair in best for customer_id in pair})
            best = {pair: found for pair, found in best.items() if frozenset(pair) not in apart}
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

    async def told_apart(self, root_ids: Collection[UUID]) -> set[frozenset[UUID]]:
        """Which of these people are never to be merged with each other."""
        if len(root_ids) < 2:
            return set()
        rows = await self._uow.rows(
            _TOLD_APART, {"tenant": self._uow.tenant_id, "roots": sorted(root_ids)}
        )
        return {frozenset((row.first, row.second)) for row in rows}

    async def mark_merged(self, member_ids: Collection[UUID], *, merge_id: UUID) -> Sequence[UUID]:
        """The pairs of these records that were open: now they are answered, by a merge."""
        asked = {"tenant": self._uow.tenant_id, "members": sorted(member_ids)}
        decided = {"new_status": "merged", "merge": merge_id, "now": self._uow.clock.now()}
        return await self._uow.scalars(_MERGED, {**asked, **decided})

    async def reopen(self, pair_ids: Iterable[UUID], *, merge_id: UUID) -> None:
        """Ask again what a merge had answered."""
        asked = {"tenant": self._uow.tenant_id, "pairs": list(pair_ids), "merge": merge_id}
        await self._uow.execute(
            _REOPENED, {**asked, "new_status": "open", "now": self._uow.clock.now()}
        )

    async def put(self, pairs: Iterable[tuple[UUID, UUID]], *, status: str) -> Sequence[UUID]:
        """The pairs, as a person has decided, whether or not anybody has proposed them."""
        rows = [
            {
                "id": new_id(),
                "older_id": older,
                "newer_id": newer,
                "score": _SAID_BY_HAND,
                "reasons": [SAID_BY_HAND],
            }
            for older, newer in sorted({_in_order(pair) for pair in pairs})
        ]
        parameters = {"tenant": self._uow.tenant_id, "now": self._uow.clock.now()}
        return await self._uow.scalars(
            _DECIDE_PAIRS, {**parameters, "status": status, "version": 1, **_pairs.values(rows)}
        )

    async def dismiss_between(
        self, member_ids: Collection[UUID], other_ids: Collection[UUID]
    ) -> None:
        """What is open between the records of two people is answered: they are two."""
        asked = {"members": sorted(member_ids), "others": sorted(other_ids)}
        decided = {"new_status": "dismissed", "now": self._uow.clock.now()}
        await self._uow.execute(
            _DISMISS_BETWEEN, {"tenant": self._uow.tenant_id, **asked, **decided}
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


def _in_order(pair: tuple[UUID, UUID]) -> tuple[UUID, UUID]:
    first, second = sorted(pair)
    return first, second
