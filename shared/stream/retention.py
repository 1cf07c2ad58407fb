"""Events that every subscriber has applied are kept for a while, and then no more."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from sqlalchemy import text

from shared.db.sweeps import in_every_tenant
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId

_AT_ONCE: Final = 2000


class OutboxRetention:
    """Empties one part's outbox from its old end.

    What a rebuild needs is told again by the services, never read back from old events; the time
    they are kept is for people who look into a fault, and for a restored backup of a subscriber.
    """

    def __init__(
        self, *, units: UnitsOfWork, subscriptions: Mapping[str, frozenset[str]], kept: timedelta
    ) -> None:
        self._units = units
        self._consumers = sorted(subscriptions)
        self._kept = kept
        schema = units.schema
        # A subscriber that was never sent anything has no row, and then nothing is forgotten.
        self._applied_by_all = text(
            f"""
            SELECT split, min(acked) AS acked FROM {schema}.subscription
            WHERE tenant_id = :tenant AND consumer = ANY(CAST(:consumers AS text[]))
            GROUP BY split HAVING count(*) = :count
            """
        )
        # The oldest by position, so that a step costs the same however many events there are.
        self._forget = text(
            f"""
            DELETE FROM {schema}.outbox AS o USING (
                SELECT id FROM {schema}.outbox
                WHERE tenant_id = :tenant AND split = :split AND position <= :acked
                ORDER BY position LIMIT :limit
            ) AS oldest
            WHERE o.tenant_id = :tenant AND o.id = oldest.id AND o.recorded_at < :before
            """
        )

    async def sweep(self) -> None:
        """Forget what is old, in every tenant's streams."""
        await in_every_tenant(self._units, "tenants_with_streams", self._sweep_tenant)

    async def _sweep_tenant(self, tenant_id: TenantId) -> None:
        more = True
        while more:
            async with self._units.begin(tenant_id) as uow:
                more = await self._step(uow)
                await uow.commit()

    async def _step(self, uow: UnitOfWork) -> bool:
        """Whether there may be more to forget."""
        parameters = {
            "tenant": uow.tenant_id,
            "consumers": self._consumers,
            "count": len(self._consumers),
        }
        more = False
        for row in await uow.rows(self._applied_by_all, parameters):
            forgotten = await uow.execute(
                self._forget,
                {
                    "tenant": uow.tenant_id,
                    "split": row.split,
                    "acked": row.acked,
                    "limit": _AT_ONCE,
                    "before": uow.clock.now() - self._kept,
                },
            )
            more = more or forgotten == _AT_ONCE
        return more
