"""Work over a whole shop, one step and one transaction at a time.

A step locks the run's row, so that two workers never do the same step, and writes how far it came
in the same transaction as its effects: whoever goes on after a crash goes on exactly there.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.segmentation.facts.repository import FactRepository
from services.segmentation.membership.repository import MembershipRepository
from services.segmentation.membership.service import MembershipService
from services.segmentation.rebuilds.repository import RebuildRepository
from services.segmentation.runs.repository import Phase, Run, RunRepository
from services.segmentation.segments.active import ActiveSegment, ActiveSegments, segment_of
from services.segmentation.segments.reasons import Reason
from services.segmentation.segments.repository import SegmentRepository
from services.segmentation.tenants.repository import Shop, ShopRepository
from shared.contracts.segmentation import SnapshotRequested
from shared.db.unit_of_work import UnitOfWork


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

    async def take(self, run: Run) -> None:
        """Do the next step of a run that this unit of work holds."""
        await self._step_of(run.phase)(run)

    def _step_of(self, phase: Phase) -> Callable[[Run], Awaitable[None]]:
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
                raise AssertionError("nothing is to be done but to wait")

    async def _forget(self, run: Run) -> None:
        """Forget what the customer service told, and ask for it again when all is forgotten."""
        # Alone, so that no event is applied to half of the facts.
        await self.shops.lock()
        if await self.rebuilds.forget(limit=self.size):
            await self.runs.move(run, to=Phase.FORGET)
            return
        self.uow.append(SnapshotRequested(job_id=run.job_id), key=run.job_id)
        await self.runs.move(run, to=Phase.AWAIT_SNAPSHOT)

    async def _evaluate(self, run: Run) -> None:
        """Look at the next customers, and evaluate those whom the members' lists are wrong about.

        Whoever is not wrong now and changes later is evaluated by the change: a rule's change
        waits for the evaluations that run by the old one.
        """
        shop = await self.shops.share()
        segments = await self._segments_of(run, shop)
        if not segments:
            await self.runs.finish(run)
            return
        look = await self.memberships.look(
            segments,
            after=run.after_id,
            limit=self.size,
            as_of=self.uow.clock.now(),
            timezone=shop.timezone,
        )
        await self._evaluate_some(run, shop, segments, look.drifted)
        done = await self.runs.done(run) + look.count
        if look.count < self.size:
            await self.runs.move(run, to=Phase.CLEAR, done=done)
        else:
            await self.runs.move(run, to=Phase.EVALUATE, after=look.last, done=done)

    async def _clear(self, run: Run) -> None:
        """Let members go of whom nothing is known any more."""
        shop = await self.shops.share()
        segments = await self._segments_of(run, shop)
        gone = await self.memberships.members_gone(segments, limit=self.size)
        await self._evaluate_some(run, shop, segments, gone)
        if len(gone) < self.size:
            await self.runs.finish(run)
        else:
            await self.runs.move(run, to=Phase.CLEAR)

    async def _remove(self, run: Run) -> None:
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
            await self.runs.finish(run)
        else:
            await self.runs.move(run, to=Phase.REMOVE)

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
