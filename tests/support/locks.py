"""Waiting until somebody waits for a lock."""

import asyncio
from typing import Any

from sqlalchemy import text

from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId
from tests.support.waiting import eventually

_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


async def somebody_waits(units: UnitsOfWork, tenant: TenantId, task: asyncio.Task[Any]) -> None:
    """Until somebody waits for a lock, or the task is over."""

    async def waits() -> bool:
        async with units.begin(tenant) as uow:
            return task.done() or bool(await uow.scalar(_WAITING))

    await eventually(waits)
