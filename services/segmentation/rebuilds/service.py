"""The rebuild of the whole projection: forget, ask to be told again, evaluate everybody.

Meanwhile facts are applied and nobody enters or leaves. At the end only those move whose
membership was wrong, so a rebuild of a healthy projection tells nothing.
"""

from uuid import UUID

from services.segmentation.membership.repository import MembershipRepository
from services.segmentation.rebuilds.errors import RebuildUnderWay
from services.segmentation.rebuilds.repository import RebuildRepository
from services.segmentation.runs.repository import Phase, RunKind, RunRepository
from services.segmentation.segments.reasons import Reason
from services.segmentation.tenants.repository import ShopRepository


class RebuildService:
    """Rebuilds of one tenant's projection."""

    def __init__(
        self,
        *,
        shops: ShopRepository,
        runs: RunRepository,
        memberships: MembershipRepository,
        rebuilds: RebuildRepository,
    ) -> None:
        self._shops = shops
        self._runs = runs
        self._memberships = memberships
        self._rebuilds = rebuilds

    async def start(self) -> UUID:
        """Start a rebuild; the id of its job, or of the one that is under way already."""
        await self._shops.lock()
        underway = await self._runs.find_rebuild()
        if underway is not None:
            return underway.job_id
        await self._shops.suspend()
        return await self._runs.add(RunKind.REBUILD, reason=Reason.REBUILT)

    async def restart(self, job_id: UUID) -> None:
        """Start a rebuild that failed over again, as the same job. Raises RebuildUnderWay."""
        await self._shops.lock()
        if await self._runs.find_rebuild() is not None:
            raise RebuildUnderWay
        await self._shops.suspend()
        await self._runs.put(job_id, RunKind.REBUILD, reason=Reason.REBUILT, segment_id=None)

    async def snapshot_completed(self, job_id: UUID) -> None:
        """Everything has been told again: evaluate everybody from now on.

        Nothing happens when that was said before, or to somebody else.
        """
        await self._shops.lock()
        underway = await self._runs.find_rebuild()
        if underway is None or underway.job_id != job_id:
            return
        if underway.phase is not Phase.AWAIT_SNAPSHOT:
            return
        await self._shops.resume()
        await self._memberships.clear_due()
        total = await self._rebuilds.count_profiles()
        await self._runs.resume(underway, to=Phase.EVALUATE, total=total)
