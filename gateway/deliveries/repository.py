"""SQL of deliveries. Every statement is built once, when this is imported."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from gateway.deliveries.errors import DeliveryNotFound
from gateway.deliveries.models import delivery
from gateway.deliveries.schemas import DELIVERY_COLUMNS, DeliveryStatus
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.rows import RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

NEWEST = (
    SortKey(delivery.c.received_at, "received_at", parse_instant, descending=True),
    SortKey(delivery.c.id, "id", parse_id, descending=True),
)
_TENANT = delivery.c.tenant_id == bindparam("tenant")
_READ = [
    func.octet_length(delivery.c.body).label("size") if name == "size" else delivery.c[name]
    for name in DELIVERY_COLUMNS
]
_ADD = insert(delivery).on_conflict_do_nothing(
    index_elements=["tenant_id", "connection_id", "dedup_key"]
)
_CLAIM = (
    select(
        delivery.c.id,
        delivery.c.connection_id,
        delivery.c.platform,
        delivery.c.topic,
        delivery.c.body,
        delivery.c.triggered_at,
        delivery.c.received_at,
        delivery.c.trace,
    )
    .where(_TENANT, delivery.c.status == "pending")
    .order_by(delivery.c.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_OUTCOMES = RowsParameter(
    "outcome", delivery, ("id", "status", "reason", "error", "object_kind", "object_id")
)
_FINISH = (
    update(delivery)
    .where(_TENANT, delivery.c.id == _OUTCOMES.source.c.id)
    .values(
        {
            name: _OUTCOMES.source.c[name]
            for name in ("status", "reason", "error", "object_kind", "object_id")
        }
    )
    .values(
        attempts=delivery.c.attempts + 1,
        processed_at=bindparam("now", type_=Instant),
    )
)
_THROUGH = (_TENANT, delivery.c.connection_id == bindparam("connection"))
_LIST = select(*_READ).where(*_THROUGH)
_REPLAY = (
    update(delivery)
    .where(
        _TENANT,
        delivery.c.connection_id == bindparam("of_connection"),
        delivery.c.id == bindparam("delivery_id"),
    )
    .values(status="pending", reason=None, error=None, processed_at=None)
    .returning(*_READ)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """A delivery as it came."""

    id: UUID
    connection_id: UUID
    platform: str
    topic: str
    dedup_key: str
    body: bytes
    triggered_at: datetime | None
    received_at: datetime
    trace: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a delivery."""

    id: UUID
    status: DeliveryStatus
    reason: str | None = None
    error: str | None = None
    object_kind: str | None = None
    object_id: str | None = None


class DeliveryRepository:
    """Deliveries to one shop, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def add(self, new: NewDelivery) -> bool:
        """Keep a delivery; False when the same one was kept before."""
        row = {
            "tenant_id": self._uow.tenant_id,
            "id": new.id,
            "connection_id": new.connection_id,
            "platform": new.platform,
            "topic": new.topic,
            "dedup_key": new.dedup_key,
            "body": new.body,
            "triggered_at": new.triggered_at,
            "trace": new.trace,
            "received_at": new.received_at,
            "status": "pending",
            "attempts": 0,
        }
        return await self._uow.execute(_ADD, row) == 1

    async def claim(self, limit: int) -> Sequence[Row[*tuple[Any, ...]]]:
        """The oldest deliveries that wait and that nobody else is at, locked until the end."""
        return await self._uow.rows(_CLAIM, {"tenant": self._uow.tenant_id, "limit": limit})

    async def finish(self, outcomes: Iterable[Outcome]) -> None:
        """Write what became of claimed deliveries."""
        values = _OUTCOMES.values(asdict(outcome) for outcome in outcomes)
        scope = {"tenant": self._uow.tenant_id, "now": self._uow.clock.now()}
        await self._uow.execute(_FINISH, {**values, **scope})

    async def list_newest(
        self, connection_id: UUID, *, statuses: Sequence[DeliveryStatus], request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of deliveries through a connection, the newest first, and the next cursor."""
        listing = _LIST.where(delivery.c.status.in_(statuses)) if statuses else _LIST
        rows = await self._uow.rows(
            page(listing, NEWEST, request),
            {"tenant": self._uow.tenant_id, "connection": connection_id},
        )
        return next_cursor(rows, NEWEST, request.limit)

    async def replay(self, connection_id: UUID, delivery_id: UUID) -> Row[*tuple[Any, ...]]:
        """Have a delivery read again. Raises DeliveryNotFound."""
        keys = {"of_connection": connection_id, "delivery_id": delivery_id}
        row = await self._uow.one_or_none(_REPLAY, {"tenant": self._uow.tenant_id, **keys})
        if row is None:
            raise DeliveryNotFound
        return row
