"""SQL of keeping duplicate candidates, and of what becomes of them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Row,
    Text,
    Uuid,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.duplicates.models import customer_record, duplicate_candidate
from shared.db.rows import RowsParameter, any_id
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id

SAID_BY_HAND = "said_by_hand"
"""The reason of a pair that a person has named."""

_SAID_BY_HAND = 100
MOST_WEIGHED = 200
"""Of one person so many pairs are weighed again, the likeliest of them."""
MOST_WEIGHED_AT_ONCE = 2000
"""Of many people together."""

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
_MEMBERS = bindparam("members", type_=ARRAY(Uuid))
_member = union_all(
    select(customer_record.c.id, customer_record.c.id.label("root_id")).where(
        customer_record.c.tenant_id == _TENANT, customer_record.c.id == any_id("roots")
    ),
    select(customer_record.c.id, customer_record.c.merged_into.label("root_id")).where(
        customer_record.c.tenant_id == _TENANT, customer_record.c.merged_into == any_id("roots")
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
        & (duplicate_candidate.c.status == literal_column("'dismissed'")),
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
        duplicate_candidate.c.merge_id == func.any(bindparam("merges", type_=ARRAY(Uuid))),
    )
    .values(
        status=bindparam("new_status", type_=Text),
        merge_id=None,
        updated_at=_NOW,
        version=duplicate_candidate.c.version + 1,
    )
)
_ANSWERED = select(
    *(duplicate_candidate.c[name] for name in ("id", "older_id", "newer_id", "merge_id"))
).where(
    duplicate_candidate.c.tenant_id == _TENANT,
    duplicate_candidate.c.id == any_id("pairs"),
    duplicate_candidate.c.merge_id == func.any(bindparam("merges", type_=ARRAY(Uuid))),
)
# As an array the records are looked up by an index, and of each column by its own. Neither a status
# nor an order nor an end is asked for: for those the planner would rather walk everybody's pairs.
_OF_THEM = func.array(select(_member.c.id).scalar_subquery(), type_=ARRAY(Uuid))
_SEEN_OF_PAIRS = (
    duplicate_candidate.c.id,
    duplicate_candidate.c.status,
    duplicate_candidate.c.score,
    duplicate_candidate.c.reasons,
)
_PAIRS_OF = union_all(
    *(
        select(*_SEEN_OF_PAIRS).where(
            duplicate_candidate.c.tenant_id == _TENANT, side == func.any(_OF_THEM)
        )
        for side in (duplicate_candidate.c.older_id, duplicate_candidate.c.newer_id)
    )
)
# In the order in which pairs are proposed: two who weigh the same meet in no deadlock.
_LOCK_OPEN = (
    select(duplicate_candidate)
    .where(
        duplicate_candidate.c.tenant_id == _TENANT,
        duplicate_candidate.c.id == any_id("pairs"),
        duplicate_candidate.c.status == "open",
    )
    .order_by(duplicate_candidate.c.older_id, duplicate_candidate.c.newer_id)
    .with_for_update()
)
_weighed = RowsParameter("weighed", duplicate_candidate, ("id", "score", "reasons"))
_WEIGH = (
    update(duplicate_candidate)
    .where(
        duplicate_candidate.c.tenant_id == _TENANT,
        duplicate_candidate.c.id == _weighed.source.c.id,
        duplicate_candidate.c.status == "open",
    )
    .values(
        score=_weighed.source.c.score,
        reasons=_weighed.source.c.reasons,
        updated_at=_NOW,
        version=duplicate_candidate.c.version + 1,
    )
)
_WITHDRAW = delete(duplicate_candidate).where(
    duplicate_candidate.c.tenant_id == _TENANT,
    duplicate_candidate.c.id == func.any(bindparam("pairs", type_=ARRAY(Uuid))),
    duplicate_candidate.c.status == "open",
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


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two customers who may be one, how likely (1 to 100) and by what codes of evidence."""

    first: UUID
    second: UUID
    score: int
    reasons: Sequence[str]
    is_proved: bool = False
    """Whether both have proved what they have in common."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """An open pair, and what it comes to now."""

    pair_id: UUID
    score: int
    reasons: Sequence[str]


class DuplicateRepository:
    """Which pairs are kept, and what becomes of them, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

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

    async def answered(
        self, pair_ids: Iterable[UUID], *, merge_ids: Sequence[UUID]
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """Between whom those of these pairs are that merges have answered, and do still."""
        asked = {"tenant": self._uow.tenant_id, "pairs": list(pair_ids), "merges": merge_ids}
        return await self._uow.rows(_ANSWERED, asked)

    async def reopen(self, pair_ids: Iterable[UUID], *, merge_ids: Sequence[UUID]) -> None:
        """Ask again what merges had answered."""
        asked = {"tenant": self._uow.tenant_id, "pairs": list(pair_ids), "merges": merge_ids}
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

    async def open_of(self, root_ids: Collection[UUID]) -> Sequence[Row[*tuple[Any, ...]]]:
        """The open pairs of these people's records that nobody has named by hand, locked."""
        tenant = {"tenant": self._uow.tenant_id}
        found = await self._uow.rows(_PAIRS_OF, {**tenant, "roots": sorted(root_ids)})
        open_pairs = {
            row.id: row for row in found if row.status == "open" and SAID_BY_HAND not in row.reasons
        }
        likeliest = sorted(open_pairs.values(), key=lambda row: (-row.score, row.id))
        at_most = min(MOST_WEIGHED * len(root_ids), MOST_WEIGHED_AT_ONCE)
        pairs = [row.id for row in likeliest[:at_most]]
        return await self._uow.rows(_LOCK_OPEN, {**tenant, "pairs": pairs}) if pairs else []

    async def weigh(self, pairs: Collection[Weighed], *, withdrawn: Collection[UUID]) -> None:
        """Write what open pairs come to now; for those `withdrawn` nothing speaks any more."""
        tenant = {"tenant": self._uow.tenant_id}
        if pairs:
            rows = [
                {"id": pair.pair_id, "score": pair.score, "reasons": list(pair.reasons)}
                for pair in pairs
            ]
            now = {"now": self._uow.clock.now()}
            await self._uow.execute(_WEIGH, {**tenant, **now, **_weighed.values(rows)})
        if withdrawn:
            await self._uow.execute(_WITHDRAW, {**tenant, "pairs": sorted(withdrawn)})

    async def dismiss_between(
        self, member_ids: Collection[UUID], other_ids: Collection[UUID]
    ) -> None:
        """What is open between the records of two people is answered: they are two."""
        asked = {"members": sorted(member_ids), "others": sorted(other_ids)}
        decided = {"new_status": "dismissed", "now": self._uow.clock.now()}
        await self._uow.execute(
            _DISMISS_BETWEEN, {"tenant": self._uow.tenant_id, **asked, **decided}
        )

    async def decide(self, pair_id: UUID, status: str) -> Row[*tuple[Any, ...]]:
        """The pair with its new status."""
        parameters = {"tenant": self._uow.tenant_id, "pair_id": pair_id, "new_status": status}
        return await self._uow.one(_DECIDE, {**parameters, "now": self._uow.clock.now()})


def _in_order(pair: tuple[UUID, UUID]) -> tuple[UUID, UUID]:
    first, second = sorted(pair)
    return first, second
