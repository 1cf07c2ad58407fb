"""What the operator's commands do about webhooks: with the gateway's own role and code."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from cli.composition import settings_of
from cli.errors import OperatorError
from gateway.events.repository import FeedRepository
from gateway.outgoing import sender_waker
from gateway.webhooks.delivery_repository import DeliveryRepository
from gateway.webhooks.record import WebhookDeliveryStatus
from gateway.webhooks.repository import EndpointRepository
from gateway.webhooks.resending import DeliveryService
from gateway.webhooks.schemas import ReplayCreate, WebhookDeliveryRead
from shared.db.paging import MAX_LIMIT, PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.errors import CareloopError
from shared.ids import TenantId, first_id_at
from shared.part.context import PartContext, build_context
from shared.queue.producer import Waker

_POLL_SECONDS: Final = 0.1
_PATIENCE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class EndpointState:
    """An endpoint and how it does."""

    id: UUID
    url: str
    event_types: Sequence[str]
    enabled: bool
    disabled_reason: str | None
    pending: int
    failing_since: datetime | None


class Refused(OperatorError):
    """What was asked for cannot be done; the sentence is the API's."""


async def endpoints_of(tenant_id: TenantId) -> list[EndpointState]:
    """Every webhook endpoint of a shop, the newest first."""
    found: list[EndpointState] = []
    async with _gateway() as (context, _), context.units.begin(tenant_id) as uow:
        endpoints = EndpointRepository(uow)
        request: PageRequest | None = PageRequest(limit=MAX_LIMIT, cursor=None)
        while request is not None:
            records, cursor = await endpoints.list_newest(request)
            for record in records:
                stats = await endpoints.stats(record.id, first_id=first_id_at(uow.clock.now()))
                found.append(
                    EndpointState(
                        id=record.id,
                        url=record.url,
                        event_types=record.event_types,
                        enabled=record.enabled,
                        disabled_reason=record.disabled_reason,
                        pending=stats["pending"],
                        failing_since=stats["failing_since"],
                    )
                )
            request = PageRequest(limit=MAX_LIMIT, cursor=cursor) if cursor else None
    return found


async def deliveries_to(
    tenant_id: TenantId, endpoint_id: UUID, *, status: str | None, limit: int
) -> list[WebhookDeliveryRead]:
    """The newest deliveries to an endpoint. Raises Refused."""
    statuses = [WebhookDeliveryStatus(status)] if status else []
    request = PageRequest(limit=limit, cursor=None)
    async with _deliveries(tenant_id) as (service, _):
        rows, _ = await service.list_newest(endpoint_id, statuses=statuses, request=request)
    return [WebhookDeliveryRead.of(row) for row in rows]


async def replay_to(tenant_id: TenantId, endpoint_id: UUID, wanted: ReplayCreate) -> int:
    """Send a whole range again, however long; how many events. Raises Refused."""
    queued, more = 0, True
    while more:
        async with _deliveries(tenant_id) as (service, uow):
            replay = await service.replay(endpoint_id, wanted)
            await uow.commit()
        queued, more = queued + replay.queued, replay.has_more
        wanted = wanted.model_copy(update={"after": replay.until})
    return queued


async def send_test(tenant_id: TenantId, endpoint_id: UUID) -> WebhookDeliveryRead:
    """Send a test event, and wait a while for how it is taken. Raises Refused."""
    async with _deliveries(tenant_id) as (service, uow):
        delivery = WebhookDeliveryRead.of(await service.test(endpoint_id))
        await uow.commit()
    deadline = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
    while not delivery.attempts and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(_POLL_SECONDS)
        async with _deliveries(tenant_id) as (service, _):
            row, _, _ = await service.detail(endpoint_id, delivery.id)
        delivery = WebhookDeliveryRead.of(row)
    return delivery


@asynccontextmanager
async def _deliveries(tenant_id: TenantId) -> AsyncIterator[tuple[DeliveryService, UnitOfWork]]:
    async with _gateway() as (context, waker), context.units.begin(tenant_id) as uow:
        service = DeliveryService(
            uow=uow,
            endpoints=EndpointRepository(uow),
            deliveries=DeliveryRepository(uow),
            feed=FeedRepository(uow),
            wake=waker.wake,
        )
        try:
            yield service, uow
        except CareloopError as error:
            raise Refused(error.detail) from error


@asynccontextmanager
async def _gateway() -> AsyncIterator[tuple[PartContext[Any], Waker]]:
    context: PartContext[Any] = build_context(settings_of("gateway"))
    waker = sender_waker(context)
    try:
        yield context, waker
    finally:
        await waker.drain()
        await context.close()
