"""Forgetting what lets nobody in any more: ended sessions, their tokens, links that were sent."""

from datetime import timedelta
from typing import Final

from gateway.password_resets.repository import PasswordResetRepository
from gateway.sessions.repository import SessionRepository
from shared.db.sweeps import in_every_tenant
from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId

SWEEP_SECONDS: Final = 3600.0
TENANTS: Final = "tenants_with_sessions"
# As long as somebody may ask where a session came from.
KEPT: Final = timedelta(days=30)


async def forget_old_access(units: UnitsOfWork) -> None:
    """Delete what has been good for nothing for a month, in every shop."""

    async def forget(tenant_id: TenantId) -> None:
        async with units.begin(tenant_id) as uow:
            before = uow.clock.now() - KEPT
            await SessionRepository(uow).forget(before=before)
            await PasswordResetRepository(uow).forget(before=before)
            await uow.commit()

    await in_every_tenant(units, TENANTS, forget)
