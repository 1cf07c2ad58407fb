"""SQL of deliveries. Every statement is built once, when this is imported."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Row, bindparam, case, func, select, update
from sqlalchemy.dialects.postgresql import insert

from gateway.deliveries.errors import DeliveryForgotten, DeliveryNotFound
from gateway.deliveries.models import delivery
from gateway.deliveries.schemas import DELIVERY_COLUMNS, DeliveryStatus
from gateway.platforms.platform import LEAVING, OF_THE_LAW
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
        delivery.c.fetched,
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
_HEARD_OF = (
    select(delivery.c.id)
    .where(
        *_THROUGH,
        delivery.c.received_at >= bindparam("since", type_=Instant),
        delivery.c.topic.not_in(sorted(LEAVING | OF_THE_LAW)),
    )
    .order_by(delivery.c.received_at.desc(), delivery.c.id.desc())
    .limit(1)
)
_LIST = select(*_READ).where(*_THROUGH)
_THIS = (
    _TENANT,
    delivery.c.connection_id == bindparam("of_connection"),
    delivery.c.id == bindparam("delivery_id"),
)
_EXISTS = select(delivery.c.id).where(*_THIS)
_REPLAY = (
    update(delivery)
    .where(*_THIS, delivery.c.forgotten_at.is_(None))
    .values(
        status=case((delivery.c.fetch_tries.is_(None), "pending"), else_="fetching"),
        fetch_at=case(
            (delivery.c.fetch_tries.is_not(None), bindparam("now", type_=Instant)), else_=None
        ),
        fetch_tries=case((delivery.c.fetch_tries.is_not(None), 0), else_=None),
        reason=None,
        error=None,
        processed_at=None,
    )
    .returning(*_READ)
)
_old = (
    select(delivery.c.id)
    .where(
        _TENANT,
        delivery.c.status == bindparam("wanted_status"),
        delivery.c.forgotten_at.is_(None),
        delivery.c.received_at < bindparam("before", type_=Instant),
    )
    .order_by(delivery.c.received_at, delivery.c.id)
    .limit(bindparam("limit", type_=Integer))
    .with_for_update(skip_locked=True)
    .cte("old")
)
_FORGET = (
    update(delivery)
    .where(_TENANT, delivery.c.id == _old.c.id)
    # What went wrong may repeat what was delivered.
    .values(body=b"", fetched=None, error=None, forgotten_at=bindparam("now", type_=Instant))
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
    to_fetch: bool = False


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
            "status": "fetching" if new.to_fetch else "pending",
            "fetch_at": new.received_at if new.to_fetch else None,
            "fetch_tries": 0 if new.to_fetch else None,
            "attempts": 0,
        }
        return await self._uow.execute(_ADD, row) == 1

    async def claim(self, limit: int) -> Sequence[Row[*tuple[Any, ...]]]:
        """The oldest deliveries that wait and that nobody else is at, locked until the end."""
        return await self._uow.rows(_CLAIM, {"tenant": self._uow.tenant_id, "limit": limit})

    async def is_heard_of(self, connection_id: UUID, *, since: datetime) -> bool:
        """Whether a platform has told anything of a shop since then, but what the law has it."""
        asked = {"tenant": self._uow.tenant_id, "connection": connection_id, "since": since}
        return await self._uow.scalar(_HEARD_OF, asked) is not None

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
        """Have a delivery read again, and fetched before if it was.

        Raises DeliveryNotFound, DeliveryForgotten.
        """
        keys = {"of_connection": connection_id, "delivery_id": delivery_id}
        asked = {"tenant": self._uow.tenant_id, "now": self._uow.clock.now(), **keys}
        row = await self._uow.one_or_none(_REPLAY, asked)
        if row is not None:
            return row
        is_known = await self._uow.scalar(_EXISTS, {"tenant": self._uow.tenant_id, **keys})
        raise DeliveryForgotten if is_known else DeliveryNotFound

    async def forget(self, status: DeliveryStatus, *, before: datetime, limit: int) -> int:
        """Empty the oldest bodies of what came before then and became this; of how many."""
        asked = {"tenant": self._uow.tenant_id, "now": self._uow.clock.now()}
        wanted = {"wanted_status": status.value, "before": before, "limit": limit}
        return await self._uow.execute(_FORGET, {**asked, **wanted})
