"""Moves the customers whom time alone has moved: 30 days after an order, nobody tells.

A sweep asks by index whose answer may have changed since the last one, notes them as due, and
evaluates them in batches. Noting and moving `swept_until` is one short transaction that no
evaluation overlaps, so nobody falls between two sweeps, and nobody is lost when a worker dies.
"""

from datetime import timedelta
from typing import Final

from sqlalchemy import Uuid, bindparam

from services.segmentation.facts.repository import FactRepository
from services.segmentation.membership.repository import MembershipRepository
from services.segmentation.membership.service import MembershipService
from services.segmentation.rules import crossings
from services.segmentation.segments.active import ActiveSegments
from services.segmentation.segments.reasons import Reason
from services.segmentation.tenants.repository import ShopRepository
from shared.db.sweeps import in_every_tenant
from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId

BATCH: Final = 500
# Two machines' clocks differ; who is looked at twice is not moved twice.
CLOCK_SKEW: Final = timedelta(seconds=2)
LISTING: Final = "tenants_with_timed_segments"


class TimeSweeps:
    """Sweeps over the shops of this installation."""

    def __init__(self, *, units: UnitsOfWork, active: ActiveSegments) -> None:
        self._units = units
        self._active = active

    async def sweep(self) -> None:
        """Sweep every shop that has a segment whose members change with time."""
        await in_every_tenant(self._units, LISTING, self.sweep_tenant)

    async def sweep_tenant(self, tenant_id: TenantId) -> int:
        """Evaluate everybody of a shop whom time may have moved; how many did move."""
        await self._note_due(tenant_id)
        moved, more = 0, True
        while more:
            moves, more = await self._evaluate_due(tenant_id)
            moved += moves
        return moved

    async def _note_due(self, tenant_id: TenantId) -> None:
        async with self._units.begin(tenant_id) as uow:
            shops = ShopRepository(uow)
            shop = await shops.lock()
            until = uow.clock.now()
            if shop.suspended or until <= shop.swept_until:
                return
            crossed = crossings(
                [segment.rule for segment in await self._active.of(uow, shop)],
                tenant_id_param=bindparam("tenant", type_=Uuid),
                since=shop.swept_until - CLOCK_SKEW,
                until=until,
                timezone=shop.timezone,
            )
            if crossed:
                await MembershipRepository(uow).make_due(crossed)
            await shops.advance(until)
            await uow.commit()

    async def _evaluate_due(self, tenant_id: TenantId) -> tuple[int, bool]:
        async with self._units.begin(tenant_id) as uow:
            shop = await ShopRepository(uow).share()
            if shop.suspended:
                return 0, False
            memberships = MembershipRepository(uow)
            due = await memberships.take_due(limit=BATCH)
            if not due:
                return 0, False
            await FactRepository(uow).lock_profiles(due)
            timed = [s for s in await self._active.of(uow, shop) if s.timed]
            service = MembershipService(uow=uow, memberships=memberships, active=self._active)
            moves = await service.evaluate(
                due, timed, shop=shop, reason=lambda _segment, _customer: Reason.TIME_PASSED
            )
            await uow.commit()
        return moves, len(due) == BATCH
