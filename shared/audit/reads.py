"""Reads of personal data: recorded before the answer leaves, many readers in one commit."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final

from shared.contracts.audit import AuditRecord, AuditRecorded
from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId

Begin = Callable[[TenantId], AbstractAsyncContextManager[UnitOfWork]]
_AT_ONCE: Final = 200


@dataclass(slots=True)
class _Waiting:
    records: list[AuditRecord] = field(default_factory=list)
    written: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class ReadLog:
    """Writes what was read, per tenant, as soon as the write before it has ended.

    A read by itself costs one small commit; readers that come while one is under way share the
    next. None is answered before its record is durable.
    """

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._waiting: dict[TenantId, _Waiting] = {}
        self._writers: dict[TenantId, asyncio.Task[None]] = {}

    async def record(self, tenant_id: TenantId, record: AuditRecord) -> None:
        """Return once the record is durable. Raises whatever kept it from being written."""
        waiting = self._waiting.get(tenant_id)
        if waiting is None:
            waiting = self._waiting[tenant_id] = _Waiting()
        waiting.records.append(record)
        if tenant_id not in self._writers:
            self._writers[tenant_id] = asyncio.create_task(self._write(tenant_id))
        # One reader who hangs up must not break it off for the others.
        await asyncio.shield(waiting.written)

    async def _write(self, tenant_id: TenantId) -> None:
        try:
            while waiting := self._waiting.pop(tenant_id, None):
                await self._commit(tenant_id, waiting)
        finally:
            del self._writers[tenant_id]

    async def _commit(self, tenant_id: TenantId, waiting: _Waiting) -> None:
        try:
            async with self._begin(tenant_id) as uow:
                for start in range(0, len(waiting.records), _AT_ONCE):
                    records = tuple(waiting.records[start : start + _AT_ONCE])
                    uow.append(AuditRecorded(records=records), key=records[0].id)
                await uow.commit()
        except Exception as error:  # noqa: BLE001  (each reader is told)
            if not waiting.written.cancelled():
                waiting.written.set_exception(error)
                waiting.written.exception()  # nobody may be left to hear of it
        else:
            waiting.written.set_result(None)
