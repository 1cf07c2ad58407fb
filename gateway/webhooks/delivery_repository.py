"""SQL of deliveries, as requests need it. Every statement is built once, when this is imported."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Row,
    Text,
    bindparam,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from gateway.events.models import event
from gateway.webhooks.errors import DeliveryNotFound
from gateway.webhooks.models import webhook_attempt, webhook_delivery
from gateway.webhooks.record import WebhookDeliveryStatus
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

Rows = Sequence[Row[*tuple[Any, ...]]]

# Ids of events grow with time.
NEWEST_DELIVERY: Final = (
    SortKey(webhook_delivery.c.event_id, "event_id", parse_id, descending=True),
)
NEWEST_ATTEMPT: Final = (SortKey(webhook_attempt.c.id, "id", parse_id, descending=True),)
_OF_ENDPOINT = (
    webhook_delivery.c.tenant_id == bindparam("tenant"),
    webhook_delivery.c.endpoint_id == bindparam("endpoint"),
)
_DELIVERIES = select(webhook_delivery).where(*_OF_ENDPOINT)
_DELIVERY = _DELIVERIES.where(webhook_delivery.c.event_id == bindparam("event"))
_CANCEL = (
    update(webhook_delivery)
    .where(*_OF_ENDPOINT, webhook_delivery.c.status == "pending")
    .values(
        status="cancelled",
        due_at=None,
        finished_at=bindparam("now", type_=Instant),
        last_error=bindparam("why", type_=Text),
    )
)
_PUT_BACK: Final[dict[str, Any]] = {
    "status": "pending",
    "tries": 0,
    "due_at": bindparam("now", type_=Instant),
    "finished_at": None,
}
_RESEND = (
    update(webhook_delivery)
    .where(*_OF_ENDPOINT, webhook_delivery.c.event_id == bindparam("event"))
    .values(_PUT_BACK)
    .returning(webhook_delivery)
)
_POSITIONS = (
    webhook_delivery.c.position > bindparam("after", type_=BigInteger),
    webhook_delivery.c.position <= bindparam("until", type_=BigInteger),
)
_RESEND_FAILED = (
    update(webhook_delivery)
    .where(*_OF_ENDPOINT, *_POSITIONS, webhook_delivery.c.status.in_(["failed", "cancelled"]))
    .values(_PUT_BACK)
)
_ADD_TEST = insert(webhook_delivery)
_NEW = ("tenant_id", "endpoint_id", "event_id", "position", "type", "status", "attempts", "tries")
_HAPPENED = (
    select(event.c.id, event.c.position, event.c.type)
    .where(
        event.c.tenant_id == bindparam("tenant"),
        event.c.position > bindparam("after", type_=BigInteger),
        event.c.position <= bindparam("until", type_=BigInteger),
        event.c.type == bindparam("types", type_=ARRAY(Text)).any_(),
    )
    .cte("happened")
    .prefix_with("MATERIALIZED")
)
_RESEND_ALL = upsert(webhook_delivery).from_select(
    [*_NEW, "due_at", "created_at"],
    select(
        bindparam("tenant", type_=webhook_delivery.c.tenant_id.type),
        bindparam("endpoint", type_=webhook_delivery.c.endpoint_id.type),
        _HAPPENED.c.id,
        _HAPPENED.c.position,
        _HAPPENED.c.type,
        literal("pending"),
        literal(0),
        literal(0),
        bindparam("now", type_=Instant),
        bindparam("now", type_=Instant),
    ),
)
_RESEND_ALL = _RESEND_ALL.on_conflict_do_update(
    index_elements=["tenant_id", "endpoint_id", "event_id"],
    set_={
        "status": "pending",
        "tries": 0,
        "due_at": _RESEND_ALL.excluded.due_at,
        "finished_at": null(),
    },
)
_ATTEMPTS = select(webhook_attempt).where(
    webhook_attempt.c.tenant_id == bindparam("tenant"),
    webhook_attempt.c.endpoint_id == bindparam("endpoint"),
)


class DeliveryRepository:
    """Deliveries to one shop's endpoints, as its staff sees them."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def get(self, endpoint_id: UUID, event_id: UUID) -> Row[*tuple[Any, ...]]:
        """Raises DeliveryNotFound."""
        row = await self._uow.one_or_none(
            _DELIVERY, {**self._scope(endpoint_id), "event": event_id}
        )
        if row is None:
            raise DeliveryNotFound
        return row

    async def list_newest(
        self, endpoint_id: UUID, *, statuses: Sequence[WebhookDeliveryStatus], request: PageRequest
    ) -> tuple[Rows, str | None]:
        """A page of deliveries, those of the newest events first, and the next cursor."""
        listing = _DELIVERIES
        if statuses:
            listing = listing.where(webhook_delivery.c.status.in_(statuses))
        rows = await self._uow.rows(
            page(listing, NEWEST_DELIVERY, request), self._scope(endpoint_id)
        )
        return next_cursor(rows, NEWEST_DELIVERY, request.limit)

    async def list_attempts(
        self, endpoint_id: UUID, *, event_id: UUID | None, request: PageRequest
    ) -> tuple[Rows, str | None]:
        """A page of attempts, the newest first, and the next cursor."""
        listing = _ATTEMPTS
        if event_id is not None:
            listing = listing.where(webhook_attempt.c.event_id == event_id)
        rows = await self._uow.rows(
            page(listing, NEWEST_ATTEMPT, request), self._scope(endpoint_id)
        )
        return next_cursor(rows, NEWEST_ATTEMPT, request.limit)

    async def cancel_pending(self, endpoint_id: UUID, *, why: str) -> int:
        """Call off what waits for an endpoint."""
        scope = {**self._scope(endpoint_id), "now": self._uow.clock.now(), "why": why}
        return await self._uow.execute(_CANCEL, scope)

    async def add_test(self, endpoint_id: UUID, event_id: UUID, *, type_: str, body: str) -> None:
        """An event for this endpoint alone."""
        now = self._uow.clock.now()
        row = {
            "tenant_id": self._uow.tenant_id,
            "endpoint_id": endpoint_id,
            "event_id": event_id,
            "position": None,
            "type": type_,
            "body": body,
            "status": "pending",
            "attempts": 0,
            "tries": 0,
            "due_at": now,
            "created_at": now,
        }
        await self._uow.execute(_ADD_TEST, row)

    async def resend(self, endpoint_id: UUID, event_id: UUID) -> Row[*tuple[Any, ...]]:
        """Put one delivery back into the queue. Raises DeliveryNotFound."""
        scope = {**self._scope(endpoint_id), "event": event_id, "now": self._uow.clock.now()}
        row = await self._uow.one_or_none(_RESEND, scope)
        if row is None:
            raise DeliveryNotFound
        return row

    async def resend_failed(self, endpoint_id: UUID, *, after: int, until: int) -> int:
        """Put back what was given up or called off in a range of positions."""
        scope = {**self._scope(endpoint_id), "after": after, "until": until}
        return await self._uow.execute(_RESEND_FAILED, {**scope, "now": self._uow.clock.now()})

    async def resend_all(
        self, endpoint_id: UUID, *, after: int, until: int, types: Sequence[str]
    ) -> int:
        """Put every event of a range of positions that is of these types into the queue."""
        scope = {**self._scope(endpoint_id), "after": after, "until": until}
        values = {**scope, "types": list(types), "now": self._uow.clock.now()}
        return await self._uow.execute(_RESEND_ALL, values)

    def _scope(self, endpoint_id: UUID) -> dict[str, Any]:
        return {"tenant": self._uow.tenant_id, "endpoint": endpoint_id}
