"""Writing down what was sent: many outcomes of a shop in one commit, as fast as commits go."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import structlog

from gateway.webhooks.disabling import disable
from gateway.webhooks.outcomes import Outcome, QueueState
from gateway.webhooks.queues import Attempted, QueueRepository
from shared.db.failures import is_conflict, is_outage
from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId

_AGAIN_AFTER: Final = (0.05, 0.2, 1.0, 3.0, 10.0)
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Waiting:
    outcomes: list[Outcome] = field(default_factory=list)
    attempts: list[Attempted] = field(default_factory=list)
    released: dict[UUID, QueueState] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.outcomes or self.released)


class Recorder:
    """Collects what became of deliveries while the commit before is under way.

    What cannot be written in the end is lost here and found again: the deliveries are still due,
    and are sent once more. `released` is told of queues that were given back.
    """

    def __init__(
        self,
        *,
        units: UnitsOfWork,
        owner: UUID,
        released: Callable[[TenantId, list[UUID]], Awaitable[None]],
    ) -> None:
        self._units = units
        self._owner = owner
        self._released = released
        self._waiting: defaultdict[TenantId, _Waiting] = defaultdict(_Waiting)
        self._writers: dict[TenantId, asyncio.Task[None]] = {}

    def add(self, tenant_id: TenantId, outcome: Outcome, attempt: Attempted | None) -> None:
        """Write this down soon."""
        waiting = self._waiting[tenant_id]
        waiting.outcomes.append(outcome)
        if attempt is not None:
            waiting.attempts.append(attempt)
        self._write_soon(tenant_id)

    def release(self, tenant_id: TenantId, endpoint_id: UUID, state: QueueState) -> None:
        """Give a queue back once everything before is written down."""
        self._waiting[tenant_id].released[endpoint_id] = state
        self._write_soon(tenant_id)

    async def drain(self) -> None:
        """Wait until everything is written down."""
        while self._writers:
            await asyncio.gather(*self._writers.values(), return_exceptions=True)

    def _write_soon(self, tenant_id: TenantId) -> None:
        if tenant_id not in self._writers:
            self._writers[tenant_id] = asyncio.create_task(self._write(tenant_id))

    async def _write(self, tenant_id: TenantId) -> None:
        try:
            while waiting := self._waiting.pop(tenant_id, None):
                await self._write_through_trouble(tenant_id, waiting)
                await self._released(tenant_id, list(waiting.released))
        finally:
            del self._writers[tenant_id]

    async def _write_through_trouble(self, tenant_id: TenantId, waiting: _Waiting) -> None:
        for pause in (*_AGAIN_AFTER, None):
            try:
                return await self._write_once(tenant_id, waiting)
            except Exception as error:  # noqa: BLE001  (the deliveries are still due)
                lasting = not (is_conflict(error) or is_outage(error) or isinstance(error, OSError))
                if lasting or pause is None:
                    _log.exception("webhook_outcomes_lost", tenant=tenant_id.hex)
                    return None
                _log.warning("webhook_outcomes_wait", tenant=tenant_id.hex, error=repr(error)[:200])
                await asyncio.sleep(pause)
        return None

    async def _write_once(self, tenant_id: TenantId, waiting: _Waiting) -> None:
        async with self._units.begin(tenant_id) as uow:
            queues = QueueRepository(uow, owner=self._owner)
            await queues.settle(waiting.outcomes, waiting.attempts)
            await queues.release(list(waiting.released.items()))
            for endpoint_id, state in waiting.released.items():
                if state.disabled is not None:
                    await disable(uow, endpoint_id, state)
            await uow.commit()
