"""SQL of memberships: who is in, who moves, and what time has made due."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Integer,
    Select,
    Uuid,
    and_,
    bindparam,
    delete,
    exists,
    func,
    select,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.segmentation.facts.models import profile
from services.segmentation.membership.evaluation import IDS, TENANT, answers, drifted
from services.segmentation.membership.models import due_customer, membership, membership_change
from services.segmentation.segments.active import ActiveSegment
from shared.db.rows import RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

_NOBODY: Final = UUID(int=0)
_SEGMENTS: Final = bindparam("segments", type_=ARRAY(Uuid))
_SEGMENT: Final = bindparam("segment", type_=Uuid)
_LIMIT: Final = bindparam("limit", type_=Integer)

_MEMBERSHIP: Final = ("segment_id", "customer_id", "rule_version", "reason", "entered_at")
_CHANGE: Final = ("id", "segment_id", "customer_id", "change", "rule_version", "reason", "at")
_entering = RowsParameter("entering", membership, _MEMBERSHIP)
_leaving = RowsParameter("leaving", membership, ("segment_id", "customer_id"))
_changes = RowsParameter("change", membership_change, _CHANGE)

_MEMBERS_AMONG: Final = select(membership.c.segment_id, membership.c.customer_id).where(
    membership.c.tenant_id == TENANT,
    membership.c.customer_id == func.any(IDS),
    membership.c.segment_id == func.any(_SEGMENTS),
)
_ENTER: Final = (
    insert(membership)
    .from_select(["tenant_id", *_MEMBERSHIP], select(TENANT, *_entering.source.c))
    .on_conflict_do_nothing(index_elements=["tenant_id", "segment_id", "customer_id"])
)
_LEAVE: Final = delete(membership).where(
    membership.c.tenant_id == TENANT,
    membership.c.segment_id == _leaving.source.c.segment_id,
    membership.c.customer_id == _leaving.source.c.customer_id,
)
_REMEMBER: Final = (
    insert(membership_change)
    .from_select(["tenant_id", *_CHANGE], select(TENANT, *_changes.source.c))
    .on_conflict_do_nothing(index_elements=["tenant_id", "id"])
)
_MEMBERS_OF: Final = (
    select(membership.c.customer_id)
    .where(membership.c.tenant_id == TENANT, membership.c.segment_id == _SEGMENT)
    .order_by(membership.c.customer_id)
    .limit(_LIMIT)
)
_HAS_PROFILE: Final = exists().where(
    profile.c.tenant_id == TENANT, profile.c.customer_id == membership.c.customer_id
)
_MEMBERS_GONE: Final = (
    select(membership.c.customer_id)
    .distinct()
    .where(
        membership.c.tenant_id == TENANT,
        membership.c.segment_id == func.any(_SEGMENTS),
        ~_HAS_PROFILE,
    )
    .order_by(membership.c.customer_id)
    .limit(_LIMIT)
)
_due_now: Final = (
    select(due_customer.c.customer_id)
    .where(due_customer.c.tenant_id == TENANT)
    .order_by(due_customer.c.customer_id)
    .limit(_LIMIT)
    .with_for_update(skip_locked=True)
    .cte("due_now")
)
_TAKE_DUE: Final = (
    delete(due_customer)
    .where(
        due_customer.c.tenant_id == TENANT,
        due_customer.c.customer_id == _due_now.c.customer_id,
    )
    .returning(due_customer.c.customer_id)
)
_CLEAR_DUE: Final = delete(due_customer).where(due_customer.c.tenant_id == TENANT)


Change = Literal["entered", "left"]


@dataclass(frozen=True, slots=True)
class Move:
    """A customer enters or leaves a segment."""

    id: UUID
    segment_id: UUID
    customer_id: UUID
    change: Change
    rule_version: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Answers:
    """Which customers match which segments, and the versions of the customers asked."""

    matching: set[tuple[UUID, UUID]]
    versions: Mapping[UUID, int]


@dataclass(frozen=True, slots=True)
class Look:
    """What was found among some customers, in the order of their ids."""

    count: int
    last: UUID | None
    drifted: Sequence[UUID]


class MembershipRepository:
    """The memberships of one tenant, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def matches(
        self,
        customer_ids: Collection[UUID],
        segments: Sequence[ActiveSegment],
        *,
        as_of: datetime,
        timezone: ZoneInfo,
    ) -> Answers:
        """Which of the customers match which of the segments: (segment, customer)."""
        rows = await self._uow.rows(
            answers(segments, as_of=as_of, timezone=timezone),
            {**self._tenant, "ids": list(customer_ids)},
        )
        matching = {
            (segment.id, row.customer_id)
            for row in rows
            if row.matches is not None
            for segment, matches in zip(segments, row.matches, strict=True)
            if matches
        }
        # Version 0 is nobody's: the customer's own state has not arrived.
        return Answers(matching, {row.customer_id: row.version for row in rows if row.version})

    async def members_among(
        self, customer_ids: Collection[UUID], segments: Sequence[ActiveSegment]
    ) -> set[tuple[UUID, UUID]]:
        """Which of the customers belong to which of the segments: (segment, customer)."""
        ids = {"ids": list(customer_ids), "segments": [segment.id for segment in segments]}
        rows = await self._uow.rows(_MEMBERS_AMONG, {**self._tenant, **ids})
        return {(row.segment_id, row.customer_id) for row in rows}

    async def move(self, moves: Iterable[Move]) -> None:
        """Let customers enter and leave, and remember it."""
        rows = [{name: getattr(move, name) for name in _CHANGE} for move in moves]
        entering = [{**r, "entered_at": r["at"]} for r in rows if r["change"] == "entered"]
        leaving = [row for row in rows if row["change"] == "left"]
        if entering:
            await self._uow.execute(_ENTER, {**self._tenant, **_entering.values(entering)})
        if leaving:
            await self._uow.execute(_LEAVE, {**self._tenant, **_leaving.values(leaving)})
        await self._uow.execute(_REMEMBER, {**self._tenant, **_changes.values(rows)})

    async def look(
        self,
        segments: Sequence[ActiveSegment],
        *,
        after: UUID | None,
        limit: int,
        as_of: datetime,
        timezone: ZoneInfo,
    ) -> Look:
        """Look at the next `limit` customers for memberships that are not as the rules say."""
        row = await self._uow.one(
            drifted(segments, as_of=as_of, timezone=timezone),
            {**self._tenant, "after": after or _NOBODY, "limit": limit},
        )
        return Look(row.looked_at, row.last, row.drifted or ())

    async def members_of(self, segment_id: UUID, *, limit: int) -> Sequence[UUID]:
        """Some members of a segment."""
        parameters = {**self._tenant, "segment": segment_id, "limit": limit}
        return await self._uow.scalars(_MEMBERS_OF, parameters)

    async def members_gone(
        self, segments: Sequence[ActiveSegment], *, limit: int
    ) -> Sequence[UUID]:
        """Some members of whom nothing is known any more."""
        ids = [segment.id for segment in segments]
        parameters = {**self._tenant, "segments": ids, "limit": limit}
        return await self._uow.scalars(_MEMBERS_GONE, parameters)

    async def make_due(self, crossed: Sequence[Select[tuple[UUID]]]) -> None:
        """Note whoever the statements select, to be evaluated soon.

        A fact that came with a merged record is a fact of the record that stands for it.
        """
        found = union(*crossed).subquery("crossed")
        theirs = and_(profile.c.tenant_id == TENANT, profile.c.customer_id == found.c.customer_id)
        person = func.coalesce(profile.c.merged_into, found.c.customer_id).label("customer_id")
        due = (
            select(person)
            .select_from(found.outerjoin(profile, theirs))
            .cte("due")
            .prefix_with("MATERIALIZED")
        )
        values = select(TENANT, due.c.customer_id, bindparam("now", type_=Instant))
        statement = (
            insert(due_customer)
            .from_select(["tenant_id", "customer_id", "due_at"], values)
            .on_conflict_do_nothing(index_elements=["tenant_id", "customer_id"])
        )
        await self._uow.execute(statement, {**self._tenant, "now": self._uow.clock.now()})

    async def take_due(self, *, limit: int) -> Sequence[UUID]:
        """Some customers who are due, taken off the list."""
        return await self._uow.scalars(_TAKE_DUE, {**self._tenant, "limit": limit})

    async def clear_due(self) -> None:
        """Nobody is due: everybody is about to be evaluated."""
        await self._uow.execute(_CLEAR_DUE, self._tenant)
