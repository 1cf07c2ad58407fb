"""Reading received deliveries and telling the services what they say.

A batch is read in one transaction: the events it gives and what became of each delivery are kept
together or not at all. A delivery that cannot be read is set aside with the reason and holds up
nobody; if one spoils a whole batch at the database, the batch is read again one by one.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from opentelemetry.trace import SpanKind
from sqlalchemy import Row

from gateway.connections.repository import ConnectionRepository
from gateway.deliveries.metrics import DELIVERIES_READ
from gateway.deliveries.repository import DeliveryRepository, Outcome
from gateway.deliveries.schemas import DeliveryStatus
from gateway.platforms.platform import LEAVING, Platform, understand
from gateway.platforms.reading import PayloadNotUnderstood
from gateway.platforms.told import Delivered, Ignored
from shared.contracts.gateway import PlatformOrigin
from shared.db.failures import is_conflict, is_outage
from shared.db.sweeps import in_every_tenant
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId
from shared.observability.tracing import TRACE_PARENT, spanning

_log = structlog.get_logger(__name__)

READ_DELIVERIES: Final = "gateway.read_deliveries"
PART: Final = "gateway"
WAITING: Final = "tenants_with_pending_deliveries"
# Small, because a delivery may have five megabytes.
_AT_ONCE: Final = 25
_GONE_FOR: Final = timedelta(hours=48)


class DeliveryReader:
    """Reads the pending deliveries of tenants.

    Raises when the database is out or lost a conflict: then the deliveries wait for the next call.
    """

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units
        self._reading: set[TenantId] = set()
        self._again: set[TenantId] = set()

    async def read(self, tenant_id: TenantId) -> None:
        """Read everything that waits; calls during a running call become one more round of it."""
        if tenant_id in self._reading:
            self._again.add(tenant_id)
            return
        self._reading.add(tenant_id)
        try:
            more = True
            while more:
                self._again.discard(tenant_id)
                more = await self._round(tenant_id) or tenant_id in self._again
        finally:
            self._reading.discard(tenant_id)

    async def sweep(self) -> None:
        """The net under lost wake-ups: read for every tenant that has something waiting."""
        await in_every_tenant(self._units, WAITING, self.read)

    async def _round(self, tenant_id: TenantId) -> bool:
        """Read one batch; whether more may wait."""
        try:
            return await self._read_batch(tenant_id, _AT_ONCE) == _AT_ONCE
        except Exception as error:
            if is_outage(error) or is_conflict(error):
                raise
            # Whatever it is, only one delivery may bear it.
            _log.warning("batch_spoiled", tenant=tenant_id.hex, error=type(error).__name__)
        for _ in range(_AT_ONCE):
            if not await self._read_one(tenant_id):
                return False
        return True

    async def _read_batch(self, tenant_id: TenantId, limit: int) -> int:
        async with self._units.begin(tenant_id) as uow:
            deliveries = DeliveryRepository(uow)
            claimed = await deliveries.claim(limit)
            if claimed:
                await deliveries.finish(await _read_all(uow, claimed))
                await uow.commit()
        return len(claimed)

    async def _read_one(self, tenant_id: TenantId) -> bool:
        """Read the oldest delivery by itself; if it cannot be kept, set it aside."""
        try:
            return await self._read_batch(tenant_id, 1) == 1
        except Exception as error:
            if is_outage(error) or is_conflict(error):
                raise
            _log.exception("delivery_not_kept", tenant=tenant_id.hex)
            reason = type(error).__name__
        async with self._units.begin(tenant_id) as uow:
            deliveries = DeliveryRepository(uow)
            claimed = await deliveries.claim(1)
            await deliveries.finish([_failed(row.id, "not_kept", reason) for row in claimed])
            await uow.commit()
        return bool(claimed)


async def _read_all(uow: UnitOfWork, claimed: Sequence[Row[*tuple[Any, ...]]]) -> list[Outcome]:
    options = await ConnectionRepository(uow).options_of({row.connection_id for row in claimed})
    outcomes = [
        await _still_connected(uow, row)
        or _read_traced(uow, row, options.get(row.connection_id, {}))
        for row in claimed
    ]
    for row, outcome in zip(claimed, outcomes, strict=True):
        DELIVERIES_READ.labels(row.platform, outcome.status.value).inc()
    return outcomes


async def _still_connected(uow: UnitOfWork, row: Row[*tuple[Any, ...]]) -> Outcome | None:
    """A shop that is said to have left and of which more is heard has come back: nothing to do."""
    if row.topic not in LEAVING:
        return None
    since = row.received_at - _GONE_FOR
    if not await DeliveryRepository(uow).is_heard_of(row.connection_id, since=since):
        return None
    return Outcome(id=row.id, status=DeliveryStatus.IGNORED, reason="shop_is_connected")


def _read_traced(
    uow: UnitOfWork, row: Row[*tuple[Any, ...]], options: Mapping[str, Any]
) -> Outcome:
    """Read under a span of the trace in which the delivery came: what it tells belongs to it."""
    if row.trace is None:
        return _read(uow, row, options)
    with spanning(
        PART, f"read {row.platform}", kind=SpanKind.CONSUMER, parent={TRACE_PARENT: row.trace}
    ) as span:
        span.set_attribute("careloop.topic", row.topic)
        return _read(uow, row, options)


def _read(uow: UnitOfWork, row: Row[*tuple[Any, ...]], options: Mapping[str, Any]) -> Outcome:
    origin = PlatformOrigin(
        source=row.platform,
        connection_id=row.connection_id,
        delivery_id=row.id,
        topic=row.topic,
        received_at=row.received_at,
    )
    delivered = Delivered(origin, triggered_at=row.triggered_at, options=options)
    try:
        told = understand(Platform(row.platform), delivered, row.fetched or row.body)
    except PayloadNotUnderstood as error:
        return _failed(row.id, "not_understood", str(error))
    except Exception as error:  # noqa: BLE001  (a mistake of ours must not hold up the others)
        _log.exception("reader_failed", platform=row.platform, topic=row.topic)
        return _failed(row.id, "reader_failed", type(error).__name__)
    if isinstance(told, Ignored):
        return Outcome(id=row.id, status=DeliveryStatus.IGNORED, reason=told.reason)
    uow.append(told.event, key=told.key)
    return Outcome(
        id=row.id,
        status=DeliveryStatus.PROCESSED,
        object_kind=told.kind,
        object_id=told.object_id,
    )


def _failed(delivery_id: UUID, reason: str, error: str) -> Outcome:
    return Outcome(id=delivery_id, status=DeliveryStatus.FAILED, reason=reason, error=error)
