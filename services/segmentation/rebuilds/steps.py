"""Work over a whole shop, one step and one transaction at a time.

The job's row is locked meanwhile, so that two workers never do the same step, and how far it came
is written in the same transaction as its effects: whoever goes on after a crash goes on there.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.segmentation.facts.repository import FactRepository
from services.segmentation.membership.repository import MembershipRepository
from services.segmentation.membership.service import MembershipService
from services.segmentation.rebuilds.repository import RebuildRepository
from services.segmentation.rules import parse_rule
from services.segmentation.runs.repository import Phase, Run, RunRepository
from services.segmentation.segments.active import (
    ActiveSegment,
    ActiveSegments,
    is_timed,
    segment_of,
)
from services.segmentation.segments.reasons import Reason
from services.segmentation.segments.repository import SegmentRepository
from services.segmentation.tenants.repository import Shop, ShopRepository
from shared.contracts.segmentation import SnapshotRequested
from shared.db.unit_of_work import UnitOfWork
from shared.jobs.work import Done, Going, Step, Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The steps of one unit of work's shop."""

    uow: UnitOfWork
    runs: RunRepository
    shops: ShopRepository
    segments: SegmentRepository
    facts: FactRepository
    memberships: MembershipRepository
    membership_service: MembershipService
    rebuilds: RebuildRepository
    active: ActiveSegments
    size: int

    async def take(self, run: Run, *, done: int) -> Step:
        """Do the next step of a run that this unit of work holds, `done` of whose people are."""
        return await self._step_of(run.phase)(run, done)

    def _step_of(self, phase: Phase) -> Callable[[Run, int], Awaitable[Step]]:
        match phase:
            case Phase.FORGET:
                return self._forget
            case Phase.EVALUATE:
                return self._evaluate
            case Phase.CLEAR:
                return self._clear
            case Phase.REMOVE:
                return self._remove
            case Phase.AWAIT_SNAPSHOT:
                return self._wait

    async def _wait(self, _run: Run, _done: int) -> Step:
        return Waiting()

    async def _forget(self, run: Run, _done: int) -> Step:
        """Forget what the customer service told, and ask for it again when all is forgotten."""
        # Alone, so that no event is applied to half of the facts.
        await self.shops.lock()
        if await self.rebuilds.forget(limit=self.size):
            return Going()
        await self._note_timed()
        self.uow.append(SnapshotRequested(job_id=run.job_id), key=run.job_id)
        await self.runs.move(run, to=Phase.AWAIT_SNAPSHOT)
        return Waiting()

    async def _note_timed(self) -> None:
        """Time may have a part in rules in which it had none when they were written."""
        rows = await self.segments.not_timed()
        timed = [row.id for row in rows if is_timed(parse_rule(row.rule))]
        if timed:
            await self.segments.note_timed(timed)

    async def _evaluate(self, run: Run, done: int) -> Step:
        """Look at the next customers, and evaluate those whom the members' lists are wrong about.

        Whoever is not wrong now and changes later is evaluated by the change: a rule's change
        waits for the evaluations that run by the old one.
        """
        shop = await self.shops.share()
        segments = await self._segments_of(run, shop)
        if not segments:
            return await self._end(run)
        look = await self.memberships.look(
            segments,
            after=run.after_id,
            limit=self.size,
            as_of=self.uow.clock.now(),
            timezone=shop.timezone,
        )
        await self._evaluate_some(run, shop, segments, look.drifted)
        if look.count < self.size:
            await self.runs.move(run, to=Phase.CLEAR)
        else:
            await self.runs.move(run, to=Phase.EVALUATE, after=look.last)
        return Going(done=done + look.count)

    async def _clear(self, run: Run, _done: int) -> Step:
        """Let members go of whom nothing is known any more."""
        shop = await self.shops.share()
        segments = await self._segments_of(run, shop)
        gone = await self.memberships.members_gone(segments, limit=self.size)
        await self._evaluate_some(run, shop, segments, gone)
        return await self._end(run) if len(gone) < self.size else Going()

    async def _remove(self, run: Run, done: int) -> Step:
        """Let the members of a deleted segment leave."""
        shop = await self.shops.share()
        segment_id = _segment_id(run)
        leaving = await self.memberships.members_of(segment_id, limit=self.size)
        if leaving:
            row = await self.segments.even_deleted(segment_id)
            segment = segment_of(row, locale=shop.locale)
            reason = Reason(run.reason)
            await self.membership_service.remove(segment, leaving, reason=reason)
        if len(leaving) < self.size:
            return await self._end(run)
        return Going(done=done + len(leaving))

    async def _end(self, run: Run) -> Step:
        await self.runs.end(run.job_id)
        return Done()

    async def _segments_of(self, run: Run, shop: Shop) -> list[ActiveSegment]:
        active = await self.active.of(self.uow, shop)
        return [segment for segment in active if run.segment_id in (None, segment.id)]

    async def _evaluate_some(
        self, run: Run, shop: Shop, segments: Sequence[ActiveSegment], customers: Sequence[UUID]
    ) -> None:
        if customers:
            await self.facts.lock_profiles(customers)
            await self.membership_service.evaluate(
                customers,
                segments,
                shop=shop,
                reason=lambda _segment, _customer: Reason(run.reason),
            )


def _segment_id(run: Run) -> UUID:
    if run.segment_id is None:
        raise AssertionError("a removal names its segment")
    return run.segment_id
