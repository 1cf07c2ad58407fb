"""Who enters and who leaves."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from services.segmentation.facts.projection import Changes, FactGroup
from services.segmentation.membership.repository import Change, MembershipRepository, Move
from services.segmentation.segments.active import ActiveSegment, ActiveSegments, concerned
from services.segmentation.segments.reasons import Reason, reason_of_change
from services.segmentation.tenants.repository import Shop
from shared.contracts.segmentation import Membership, SegmentEntered, SegmentLeft
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id

MOST_RULES_AT_ONCE: Final = 40

ReasonOf = Callable[[ActiveSegment, UUID], Reason]
_Pairs = Sequence[tuple[ActiveSegment, UUID]]


class MembershipService:
    """The memberships of one tenant, inside one unit of work."""

    def __init__(
        self, *, uow: UnitOfWork, memberships: MembershipRepository, active: ActiveSegments
    ) -> None:
        self._uow = uow
        self._memberships = memberships
        self._active = active

    async def follow(self, changes: Changes, *, shop: Shop) -> None:
        """Evaluate whoever has changed, for the segments that such changes concern.

        The shop must be shared, and the profiles locked.
        """
        if shop.suspended or not changes:
            return
        groups: frozenset[FactGroup] = frozenset().union(*changes.values())
        segments = concerned(await self._active.of(self._uow, shop), groups)

        def reason(segment: ActiveSegment, customer_id: UUID) -> Reason:
            return reason_of_change(changes[customer_id], segment.uses)

        await self.evaluate(changes.keys(), segments, shop=shop, reason=reason)

    async def evaluate(
        self,
        customer_ids: Collection[UUID],
        segments: Sequence[ActiveSegment],
        *,
        shop: Shop,
        reason: ReasonOf,
    ) -> int:
        """Make the memberships what the rules say now; how many customers moved.

        The shop must be shared, and the profiles locked.
        """
        moves = 0
        if customer_ids:
            for some in _some_at_once(segments):
                moves += await self._evaluate_some(customer_ids, some, shop, reason)
        return moves

    async def remove(
        self, segment: ActiveSegment, customer_ids: Collection[UUID], *, reason: Reason
    ) -> None:
        """Let members leave whatever the rule says."""
        leaving = [(segment, customer_id) for customer_id in customer_ids]
        await self._move([], leaving, lambda _segment, _customer: reason, versions={})

    async def _evaluate_some(
        self,
        customer_ids: Collection[UUID],
        segments: Sequence[ActiveSegment],
        shop: Shop,
        reason: ReasonOf,
    ) -> int:
        # The clock is read after the locks were taken; see tenants/repository.py.
        answers = await self._memberships.matches(
            customer_ids, segments, as_of=self._uow.clock.now(), timezone=shop.timezone
        )
        members = await self._memberships.members_among(customer_ids, segments)
        by_id = {segment.id: segment for segment in segments}
        entering = [(by_id[s], customer) for s, customer in sorted(answers.matching - members)]
        leaving = [(by_id[s], customer) for s, customer in sorted(members - answers.matching)]
        await self._move(entering, leaving, reason, answers.versions)
        return len(entering) + len(leaving)

    async def _move(
        self,
        entering: _Pairs,
        leaving: _Pairs,
        reason: ReasonOf,
        versions: Mapping[UUID, int],
    ) -> None:
        if not entering and not leaving:
            return
        at = self._uow.clock.now()
        moves: list[Move] = []
        # Leaving is told first: who changes from one group to another is never in both.
        told: tuple[tuple[Change, type[SegmentLeft | SegmentEntered], _Pairs], ...] = (
            ("left", SegmentLeft, leaving),
            ("entered", SegmentEntered, entering),
        )
        for change, event, pairs in told:
            for segment, customer_id in pairs:
                move = _move(segment, customer_id, change, reason(segment, customer_id), at)
                moves.append(move)
                told_of = _told(segment, move, versions.get(customer_id))
                self._uow.append(event(membership=told_of), key=customer_id)
        await self._memberships.move(moves)


def _move(
    segment: ActiveSegment, customer_id: UUID, change: Change, reason: Reason, at: datetime
) -> Move:
    return Move(
        id=new_id(),
        segment_id=segment.id,
        customer_id=customer_id,
        change=change,
        rule_version=segment.rule_version,
        reason=reason,
        at=at,
    )


def _told(segment: ActiveSegment, move: Move, customer_version: int | None) -> Membership:
    return Membership(
        segment_id=segment.id,
        segment_key=segment.key,
        segment_name=segment.name,
        rule_version=move.rule_version,
        customer_id=move.customer_id,
        at=move.at,
        reason=move.reason,
        customer_version=customer_version,
    )


def _some_at_once(segments: Sequence[ActiveSegment]) -> Iterator[Sequence[ActiveSegment]]:
    for start in range(0, len(segments), MOST_RULES_AT_ONCE):
        yield segments[start : start + MOST_RULES_AT_ONCE]
