"""Looking at what was sent, and having it sent again."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Row

from gateway.events.catalogue import TEST_TYPE, matching_types
from gateway.events.errors import EventNotFound
from gateway.events.public.house import TestData
from gateway.events.rendering import rendered
from gateway.events.repository import FeedRepository
from gateway.webhooks.delivery_repository import DeliveryRepository
from gateway.webhooks.errors import EndpointDisabled
from gateway.webhooks.record import EndpointRecord, WebhookDeliveryStatus
from gateway.webhooks.repository import EndpointRepository
from gateway.webhooks.schemas import ReplayCreate
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId, new_id

# Positions that one request works through; who wants more asks again.
AT_ONCE: Final = 10_000
_LATEST: Final = PageRequest(limit=20, cursor=None)
DbRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Replay:
    """What was put back, and up to which position the range was worked through."""

    queued: int
    until: int
    has_more: bool


class DeliveryService:
    """Deliveries to the endpoints of one shop. `wake` gets the sender going after the commit."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        endpoints: EndpointRepository,
        deliveries: DeliveryRepository,
        feed: FeedRepository,
        wake: Callable[[TenantId], Awaitable[None]],
    ) -> None:
        self._uow = uow
        self._endpoints = endpoints
        self._deliveries = deliveries
        self._feed = feed
        self._wake = wake

    async def list_newest(
        self, endpoint_id: UUID, *, statuses: Sequence[WebhookDeliveryStatus], request: PageRequest
    ) -> tuple[Sequence[DbRow], str | None]:
        """A page of deliveries. Raises EndpointNotFound."""
        await self._endpoints.get(endpoint_id)
        return await self._deliveries.list_newest(endpoint_id, statuses=statuses, request=request)

    async def list_attempts(
        self, endpoint_id: UUID, *, event_id: UUID | None, request: PageRequest
    ) -> tuple[Sequence[DbRow], str | None]:
        """A page of attempts. Raises EndpointNotFound, DeliveryNotFound."""
        await self._endpoints.get(endpoint_id)
        if event_id is not None:
            await self._deliveries.get(endpoint_id, event_id)
        return await self._deliveries.list_attempts(endpoint_id, event_id=event_id, request=request)

    async def detail(
        self, endpoint_id: UUID, event_id: UUID
    ) -> tuple[DbRow, dict[str, Any] | None, Sequence[DbRow]]:
        """A delivery, what is sent, and the latest attempts. Raises DeliveryNotFound."""
        await self._endpoints.get(endpoint_id)
        row = await self._deliveries.get(endpoint_id, event_id)
        attempts, _ = await self._deliveries.list_attempts(
            endpoint_id, event_id=event_id, request=_LATEST
        )
        return row, await self._body(row), attempts

    async def resend(self, endpoint_id: UUID, event_id: UUID) -> DbRow:
        """Send one event again. Raises EndpointNotFound, EndpointDisabled, DeliveryNotFound."""
        await self._enabled(endpoint_id)
        row = await self._deliveries.resend(endpoint_id, event_id)
        self._wake_later()
        return row

    async def test(self, endpoint_id: UUID) -> DbRow:
        """Send an event that is in no feed. Raises EndpointNotFound, EndpointDisabled."""
        await self._enabled(endpoint_id)
        event_id, now = new_id(), self._uow.clock.now()
        body = {
            "id": str(event_id),
            "object": "event",
            "type": TEST_TYPE,
            "position": None,
            "occurred_at": now,
            "data": TestData().model_dump(),
        }
        text = orjson.dumps(body, option=orjson.OPT_UTC_Z).decode()
        await self._deliveries.add_test(endpoint_id, event_id, type_=TEST_TYPE, body=text)
        self._wake_later()
        return await self._deliveries.get(endpoint_id, event_id)

    async def replay(self, endpoint_id: UUID, given: ReplayCreate) -> Replay:
        """Send a range again, as far as one request goes.

        Raises EndpointNotFound, EndpointDisabled.
        """
        endpoint = await self._enabled(endpoint_id)
        after, last = await self._range(given)
        until = min(last, after + AT_ONCE)
        if until <= after:
            return Replay(0, until, has_more=False)
        if given.what == "failed":
            queued = await self._deliveries.resend_failed(endpoint_id, after=after, until=until)
        else:
            types = sorted(matching_types(endpoint.event_types))
            queued = await self._deliveries.resend_all(
                endpoint_id, after=after, until=until, types=types
            )
        if queued:
            self._wake_later()
        return Replay(queued, until, has_more=until < last)

    async def _range(self, given: ReplayCreate) -> tuple[int, int]:
        bounds = await self._feed.bounds()
        after, last = max(given.after, bounds.forgotten), bounds.last
        if given.until is not None:
            last = min(last, given.until)
        if given.since is not None:
            after = max(after, await self._feed.position_before(given.since))
        if given.before is not None:
            last = min(last, await self._feed.position_before(given.before))
        return after, max(after, last)

    async def _enabled(self, endpoint_id: UUID) -> EndpointRecord:
        """The endpoint, locked against being switched off meanwhile."""
        endpoint = await self._endpoints.lock(endpoint_id)
        if not endpoint.enabled:
            raise EndpointDisabled
        return endpoint

    async def _body(self, delivery: DbRow) -> dict[str, Any] | None:
        if delivery.body is not None:
            body: dict[str, Any] = orjson.loads(delivery.body)
            return body
        try:
            row = await self._feed.get(delivery.event_id)
        except EventNotFound:
            return None
        return {**rendered(row), "data": orjson.loads(row.data)}

    def _wake_later(self) -> None:
        async def wake() -> None:
            await self._wake(self._uow.tenant_id)

        self._uow.after_commit(wake)
