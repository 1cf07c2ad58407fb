"""When keys were used last: noticed on every request, written now and then, many at a time."""

import asyncio
import contextlib
import contextvars
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from gateway.api_keys.repository import ApiKeyRepository, KeyUse
from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId

_log = structlog.get_logger(__name__)
SPACING: Final = timedelta(minutes=1)
_GATHER_SECONDS: Final = 2.0
_MOST_KEPT: Final = 50_000


class KeyUsage:
    """Remembers uses of keys and writes them beside the requests, once a minute per key at most.

    What was not written when the process dies is lost; it is for people to look at.
    """

    def __init__(self, units: UnitsOfWork, *, gather_seconds: float = _GATHER_SECONDS) -> None:
        self._units = units
        self._gather_seconds = gather_seconds
        self._noted: dict[UUID, datetime] = {}
        self._to_write: defaultdict[TenantId, dict[UUID, KeyUse]] = defaultdict(dict)
        self._writing: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def note(self, tenant_id: TenantId, key_id: UUID, address: str, now: datetime) -> None:
        """A key was used; costs nothing when that was noted within the last minute."""
        last = self._noted.get(key_id)
        if last is not None and now - last < SPACING:
            return
        if len(self._noted) >= _MOST_KEPT:
            self._noted.clear()
        self._noted[key_id] = now
        self._to_write[tenant_id][key_id] = KeyUse(key_id, now, address)
        if self._writing is None and not self._closing.is_set():
            # In a context of its own: it serves no single request, and logs for none.
            self._writing = asyncio.get_running_loop().create_task(
                self._write_soon(), context=contextvars.Context()
            )

    async def close(self) -> None:
        """Write what is left."""
        self._closing.set()
        while self._writing is not None:
            await asyncio.shield(self._writing)

    async def _write_soon(self) -> None:
        try:
            while self._to_write:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), self._gather_seconds)
                gathered, self._to_write = self._to_write, defaultdict(dict)
                for tenant_id, uses in gathered.items():
                    await self._write(tenant_id, list(uses.values()))
        finally:
            self._writing = None

    async def _write(self, tenant_id: TenantId, uses: list[KeyUse]) -> None:
        try:
            async with self._units.begin(tenant_id) as uow:
                await ApiKeyRepository(uow).note_use(uses, spacing=SPACING)
                await uow.commit()
        except Exception as error:  # noqa: BLE001  (the next use is the next attempt)
            _log.warning("key_use_not_written", error=repr(error)[:200])
            for use in uses:
                self._noted.pop(use.key_id, None)
