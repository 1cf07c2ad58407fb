"""Forgetting what is kept for a while only, in every shop that has something of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from shared.db.sweeps import in_every_tenant
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId

FORGETTING_SECONDS: Final = 3600.0
"""How often a worker looks for something to be forgotten."""

Forget = Callable[[UnitOfWork, datetime, int], Awaitable[int]]
"""Forgets what is older than an instant, so many at most; tells how many that were."""


@dataclass(frozen=True, slots=True)
class Passing:
    """Something that is kept for a while: where there is some that is outdated, and what to do."""

    listing: str
    life: timedelta
    forget: Forget
    at_once: int = 1000


class Forgetting:
    """Forgets what is outdated, some at a time."""

    def __init__(self, units: UnitsOfWork, *kinds: Passing) -> None:
        self._units = units
        self._kinds = kinds

    async def sweep(self) -> None:
        """Forget in every shop that has something to be forgotten."""
        for kind in self._kinds:
            await in_every_tenant(self._units, kind.listing, partial(self._sweep_tenant, kind))

    async def _sweep_tenant(self, kind: Passing, tenant_id: TenantId) -> None:
        done = kind.at_once
        while done == kind.at_once:
            async with self._units.begin(tenant_id) as uow:
                done = await kind.forget(uow, uow.clock.now() - kind.life, kind.at_once)
                await uow.commit()
