"""Forgetting what was sent long ago, also to endpoints that are gone."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Uuid, bindparam, delete, exists, or_, select

from gateway.events.retention import TENANTS
from gateway.webhooks.models import webhook_attempt, webhook_delivery, webhook_endpoint
from shared.db.sweeps import in_every_tenant
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId, first_id_at

_NOBODY: Final = UUID(int=0)
_TENANT: Final = bindparam("tenant", type_=Uuid)
_ENDPOINT: Final = bindparam("endpoint", type_=Uuid)
_BEFORE: Final = bindparam("before_id", type_=Uuid)
_NEXT: Final = (
    select(webhook_delivery.c.endpoint_id)
    .where(webhook_delivery.c.tenant_id == _TENANT, webhook_delivery.c.endpoint_id > _ENDPOINT)
    .order_by(webhook_delivery.c.endpoint_id)
    .limit(1)
)
_IS_THERE: Final = exists().where(
    webhook_endpoint.c.tenant_id == _TENANT, webhook_endpoint.c.id == _ENDPOINT
)
_FORGET_ATTEMPTS: Final = delete(webhook_attempt).where(
    webhook_attempt.c.tenant_id == _TENANT,
    webhook_attempt.c.endpoint_id == _ENDPOINT,
    webhook_attempt.c.id < _BEFORE,
)
# What still waits is on its way, unless its endpoint was removed while it was written.
_FORGET_DELIVERIES: Final = delete(webhook_delivery).where(
    webhook_delivery.c.tenant_id == _TENANT,
    webhook_delivery.c.endpoint_id == _ENDPOINT,
    webhook_delivery.c.event_id < _BEFORE,
    or_(webhook_delivery.c.status != "pending", ~_IS_THERE),
)


class _Logs:
    """The delivery logs of one shop, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def next_endpoint(self, after: UUID | None) -> UUID | None:
        """The next endpoint that has a log, whether or not it is still there."""
        scope = {"tenant": self._uow.tenant_id, "endpoint": after or _NOBODY}
        found: UUID | None = await self._uow.scalar(_NEXT, scope)
        return found

    async def forget(self, endpoint_id: UUID, *, before: datetime) -> None:
        """Delete attempts made, and deliveries of events that happened, before."""
        scope = {
            "tenant": self._uow.tenant_id,
            "endpoint": endpoint_id,
            "before_id": first_id_at(before),
        }
        await self._uow.execute(_FORGET_ATTEMPTS, scope)
        await self._uow.execute(_FORGET_DELIVERIES, scope)


class LogRetention:
    """Keeps the logs of all shops to a length of time."""

    def __init__(self, *, units: UnitsOfWork, keep: timedelta) -> None:
        self._units = units
        self._keep = keep

    async def sweep(self) -> None:
        """Forget what is too old, in every shop that has a feed."""
        await in_every_tenant(self._units, TENANTS, self._forget)

    async def _forget(self, tenant_id: TenantId) -> None:
        endpoint_id = None
        while True:
            async with self._units.begin(tenant_id) as uow:
                logs = _Logs(uow)
                endpoint_id = await logs.next_endpoint(endpoint_id)
                if endpoint_id is None:
                    break
                await logs.forget(endpoint_id, before=uow.clock.now() - self._keep)
                await uow.commit()
