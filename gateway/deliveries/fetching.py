"""Fetching what deliveries only name, from the store that sent them.

A few deliveries are claimed for a while, the store is asked outside of any transaction, and what it
told is kept beside the delivery, which is then read as any other. A store that cannot be asked is
asked again, later and later, for two days; then the delivery is set aside, and can be replayed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import Row

from gateway.connections.record import ConnectionRecord
from gateway.connections.repository import ConnectionRepository
from gateway.deliveries.fetch_repository import Fetched, FetchRepository
from gateway.platforms.platform import THIN, Platform
from gateway.platforms.reading import PayloadNotUnderstood, decode
from gateway.platforms.store_api import StoreApi, StoreNotAsked
from gateway.platforms.wanted import StoreDoor, Wanted
from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId
from shared.security.keys import SecretBox

_log = structlog.get_logger(__name__)

FETCH_DELIVERIES: Final = "gateway.fetch_deliveries"
WAITING: Final = "tenants_with_deliveries_to_fetch"
_AT_ONCE: Final = 10
_STORES_AT_ONCE: Final = 20
_ROUND_SECONDS: Final = 45.0
_LEASE: Final = timedelta(seconds=90)
_S, _M, _H = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
_DELAYS: Final = (5 * _S, 30 * _S, 2 * _M, 10 * _M, 30 * _M, _H, 3 * _H, 6 * _H, 12 * _H, 24 * _H)

_Delivery = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class _Errand:
    """An object to ask for, and the deliveries that name it."""

    platform: Platform
    door: StoreDoor
    wanted: Wanted
    deliveries: Sequence[_Delivery]


class DeliveryFetcher:
    """Fetches for the deliveries of tenants; `read` is told of tenants that have something to read.

    One store at a time and tenant; what another process has claimed is left to it.
    """

    def __init__(
        self,
        *,
        units: UnitsOfWork,
        stores: Mapping[Platform, StoreApi],
        box: SecretBox,
        read: Callable[[TenantId], Awaitable[None]],
    ) -> None:
        self._units = units
        self._stores = stores
        self._box = box
        self._read = read
        self._turns = asyncio.Semaphore(_STORES_AT_ONCE)
        self._fetching: dict[TenantId, asyncio.Task[None]] = {}
        self._closing = False

    async def wake(self, tenant_id: TenantId) -> None:
        """Fetch for a tenant in the background, unless that is under way; returns at once."""
        if tenant_id in self._fetching or self._closing:
            return
        task = asyncio.create_task(self._run(tenant_id))
        self._fetching[tenant_id] = task
        task.add_done_callback(lambda _: self._fetching.pop(tenant_id, None))

    async def sweep(self) -> None:
        """What became due by itself, and the net under lost wake-ups."""
        for tenant_id in await self._units.tenants(WAITING):
            await self.wake(tenant_id)

    def hurry(self) -> None:
        """Begin nothing more."""
        self._closing = True

    async def close(self) -> None:
        """Wait for what is under way."""
        self._closing = True
        while self._fetching:
            await asyncio.gather(*self._fetching.values(), return_exceptions=True)

    async def fetch(self, tenant_id: TenantId) -> None:
        """Fetch for everything that is due."""
        while await self._round(tenant_id) == _AT_ONCE and not self._closing:
            pass

    async def _run(self, tenant_id: TenantId) -> None:
        async with self._turns:
            try:
                await self.fetch(tenant_id)
            except Exception:  # noqa: BLE001  (the next sweep is the retry)
                _log.exception("fetching_failed", tenant=tenant_id.hex)

    async def _round(self, tenant_id: TenantId) -> int:
        async with self._units.begin(tenant_id) as uow:
            until = uow.clock.now() + _LEASE
            claimed = await FetchRepository(uow).claim(_AT_ONCE, until=until)
            connections = ConnectionRepository(uow)
            ids = {row.connection_id for row in claimed}
            known = {each: await connections.find(each) for each in ids}
            await uow.commit()
        if not claimed:
            return 0
        errands, settled = self._errands(claimed, known)
        outcomes = await asyncio.gather(*(self._go(errand) for errand in errands))
        settled += [outcome for each in outcomes for outcome in each]
        async with self._units.begin(tenant_id) as uow:
            await FetchRepository(uow).settle(settled, until=until)
            await uow.commit()
        await self._read(tenant_id)
        return len(claimed)

    def _errands(
        self, claimed: Sequence[_Delivery], known: Mapping[UUID, ConnectionRecord | None]
    ) -> tuple[list[_Errand], list[Fetched]]:
        """What to ask for, each object once; and what can be read as it is."""
        found: dict[tuple[UUID, str], _Errand] = {}
        settled: list[Fetched] = []
        for row in claimed:
            platform = Platform(row.platform)
            wanted = _wanted(platform, row)
            if wanted is None:
                settled.append(Fetched(id=row.id, status="pending"))
                continue
            try:
                door = self._door(platform, known[row.connection_id])
            except ValueError:
                # Sealed with a key that is not there, which the operator can put back.
                settled.append(self._again(row, "token_not_readable", None))
                continue
            if door is None:
                settled.append(Fetched(id=row.id, status="failed", reason="connection_off"))
            else:
                key = (row.connection_id, wanted.name)
                before = found.get(key)
                deliveries = (*(before.deliveries if before else ()), row)
                found[key] = _Errand(platform, door, wanted, deliveries)
        return list(found.values()), settled

    def _door(self, platform: Platform, connection: ConnectionRecord | None) -> StoreDoor | None:
        if connection is None or not connection.active or not connection.sealed_access_token:
            return None
        token = self._box.open(connection.sealed_access_token)["token"]
        return THIN[platform].door(connection.options["store"], token)

    async def _go(self, errand: _Errand) -> list[Fetched]:
        try:
            async with asyncio.timeout(_ROUND_SECONDS):
                content = await self._stores[errand.platform].fetch(errand.door, errand.wanted)
        except StoreNotAsked as error:
            _log.info("store_not_asked", platform=errand.platform.value, reason=error.reason)
            return [self._again(row, error.reason, error.wait) for row in errand.deliveries]
        except TimeoutError:
            return [self._again(row, "timeout", None) for row in errand.deliveries]
        return [Fetched(id=row.id, status="pending", fetched=content) for row in errand.deliveries]

    def _again(self, row: _Delivery, reason: str, wait: timedelta | None) -> Fetched:
        if row.fetch_tries > len(_DELAYS):
            return Fetched(id=row.id, status="failed", reason="not_fetched")
        delay = max(_DELAYS[row.fetch_tries - 1], wait or timedelta())
        next_try: datetime = row.fetch_at - _LEASE + delay
        return Fetched(id=row.id, status="fetching", reason=reason, fetch_at=next_try)


def _wanted(platform: Platform, row: _Delivery) -> Wanted | None:
    """What a delivery names; None also for one that cannot be read, which its reading will say."""
    try:
        return THIN[platform].wanted(row.topic, decode(row.body))
    except PayloadNotUnderstood:
        return None
