"""SQL of endpoints, as requests need it. Every statement is built once, when this is imported."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Row,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from gateway.webhooks.errors import EndpointNotFound
from gateway.webhooks.models import (
    webhook_attempt,
    webhook_delivery,
    webhook_endpoint,
    webhook_queue,
)
from gateway.webhooks.record import COLUMNS, EndpointRecord
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.unit_of_work import UnitOfWork

Rows = Sequence[Row[*tuple[Any, ...]]]

NEWEST: Final = (
    SortKey(webhook_endpoint.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(webhook_endpoint.c.id, "id", parse_id, descending=True),
)
_COLUMNS = [webhook_endpoint.c[name] for name in COLUMNS]
_TENANT = webhook_endpoint.c.tenant_id == bindparam("tenant")
_ADD = insert(webhook_endpoint)
_ADD_QUEUE = insert(webhook_queue)
_BY_ID = select(*_COLUMNS).where(_TENANT, webhook_endpoint.c.id == bindparam("id"))
_LOCK = _BY_ID.with_for_update()
_LIST = select(*_COLUMNS).where(_TENANT)
_COUNT = select(func.count()).select_from(webhook_endpoint).where(_TENANT)
_LISTENING = (
    select(webhook_endpoint.c.id, webhook_endpoint.c.event_types)
    .where(_TENANT, webhook_endpoint.c.enabled)
    .with_for_update(read=True)
)
_CHANGED = tuple(name for name in COLUMNS if name not in ("id", "created_at"))
_SAVE = (
    update(webhook_endpoint)
    .where(_TENANT, webhook_endpoint.c.id == bindparam("endpoint_id"))
    .values({name: bindparam(name) for name in _CHANGED})
)
_DELETE = delete(webhook_endpoint).where(_TENANT, webhook_endpoint.c.id == bindparam("id"))
_QUEUE = (
    webhook_queue.c.tenant_id == bindparam("tenant"),
    webhook_queue.c.endpoint_id == bindparam("endpoint"),
)
_DELETE_QUEUE = delete(webhook_queue).where(*_QUEUE)
_REFRESH_QUEUE = (
    update(webhook_queue)
    .where(*_QUEUE)
    .values(troubled=False, failures=0, failing_since=None, paused_until=None)
)
_QUEUE_STATE = select(
    webhook_queue.c.failures, webhook_queue.c.failing_since, webhook_queue.c.paused_until
).where(*_QUEUE)

_OF_ENDPOINT = (
    webhook_delivery.c.tenant_id == bindparam("tenant"),
    webhook_delivery.c.endpoint_id == bindparam("endpoint"),
)
_MOST_COUNTED: Final = 10_000
_WAITING = (
    select(webhook_delivery.c.created_at)
    .where(*_OF_ENDPOINT, webhook_delivery.c.status == "pending")
    .limit(_MOST_COUNTED)
    .subquery()
)
_PENDING = select(
    func.count().label("pending"), func.min(_WAITING.c.created_at).label("oldest")
).select_from(_WAITING)
_TRIED = (
    select(webhook_attempt.c.succeeded, webhook_attempt.c.duration_ms)
    .where(
        webhook_attempt.c.tenant_id == bindparam("tenant"),
        webhook_attempt.c.endpoint_id == bindparam("endpoint"),
        webhook_attempt.c.id >= bindparam("first_id", type_=webhook_attempt.c.id.type),
    )
    .order_by(webhook_attempt.c.id.desc())
    .limit(_MOST_COUNTED * 10)
    .subquery()
)
_STATS = select(
    func.count().label("attempts"),
    func.count().filter(_TRIED.c.succeeded).label("succeeded"),
    func.percentile_disc(0.5).within_group(_TRIED.c.duration_ms).label("p50"),
    func.percentile_disc(0.95).within_group(_TRIED.c.duration_ms).label("p95"),
).select_from(_TRIED)


class EndpointRepository:
    """Webhook endpoints of one shop, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def add(self, record: EndpointRecord) -> None:
        """Keep a new endpoint, with an empty queue."""
        await self._uow.execute(_ADD, {"tenant_id": self._uow.tenant_id, **record.as_row()})
        queue = {"owner": None, "lease_until": None, "troubled": False, "failures": 0}
        keys = {"tenant_id": self._uow.tenant_id, "endpoint_id": record.id}
        await self._uow.execute(_ADD_QUEUE, {**keys, **queue})

    async def count(self) -> int:
        """How many there are."""
        return int(await self._uow.scalar(_COUNT, {"tenant": self._uow.tenant_id}))

    async def get(self, endpoint_id: UUID) -> EndpointRecord:
        """Raises EndpointNotFound."""
        return await self._one(_BY_ID, endpoint_id)

    async def lock(self, endpoint_id: UUID) -> EndpointRecord:
        """The endpoint, kept from changing until the end. Raises EndpointNotFound."""
        return await self._one(_LOCK, endpoint_id)

    async def listening(self) -> Rows:
        """Id and event patterns of every endpoint that is on, and stays so until the end."""
        return await self._uow.rows(_LISTENING, {"tenant": self._uow.tenant_id})

    async def save(self, record: EndpointRecord) -> None:
        """Write what may change of a locked record."""
        values = {name: value for name, value in record.as_row().items() if name in _CHANGED}
        keys = {"tenant": self._uow.tenant_id, "endpoint_id": record.id}
        await self._uow.execute(_SAVE, {**values, **keys})

    async def forget_trouble(self, endpoint_id: UUID) -> None:
        """Let an endpoint that was switched on again start without its past."""
        await self._uow.execute(_REFRESH_QUEUE, self._scope(endpoint_id))

    async def delete(self, endpoint_id: UUID) -> None:
        """Remove an endpoint; its log goes with the retention."""
        await self._uow.execute(_DELETE, {"tenant": self._uow.tenant_id, "id": endpoint_id})
        await self._uow.execute(_DELETE_QUEUE, self._scope(endpoint_id))

    async def list_newest(
        self, request: PageRequest
    ) -> tuple[Sequence[EndpointRecord], str | None]:
        """A page of endpoints, the newest first, and the next page's cursor."""
        rows = await self._uow.rows(page(_LIST, NEWEST, request), {"tenant": self._uow.tenant_id})
        kept, cursor = next_cursor(rows, NEWEST, request.limit)
        return [EndpointRecord.of(row) for row in kept], cursor

    async def stats(self, endpoint_id: UUID, *, first_id: UUID) -> dict[str, Any]:
        """How the endpoint does; attempts are counted from `first_id` on."""
        scope = self._scope(endpoint_id)
        pending = await self._uow.one(_PENDING, scope)
        tried = await self._uow.one(_STATS, {**scope, "first_id": first_id})
        queue = await self._uow.one_or_none(_QUEUE_STATE, scope)
        return {
            "pending": pending.pending,
            "oldest_pending_at": pending.oldest,
            "attempts_24h": tried.attempts,
            "succeeded_24h": tried.succeeded,
            "failed_24h": tried.attempts - tried.succeeded,
            "p50_ms_24h": tried.p50,
            "p95_ms_24h": tried.p95,
            "consecutive_failures": queue.failures if queue else 0,
            "failing_since": queue.failing_since if queue else None,
            "paused_until": queue.paused_until if queue else None,
        }

    async def _one(self, statement: Any, endpoint_id: UUID) -> EndpointRecord:
        row = await self._uow.one_or_none(
            statement, {"tenant": self._uow.tenant_id, "id": endpoint_id}
        )
        if row is None:
            raise EndpointNotFound
        return EndpointRecord.of(row)

    def _scope(self, endpoint_id: UUID) -> dict[str, Any]:
        return {"tenant": self._uow.tenant_id, "endpoint": endpoint_id}
