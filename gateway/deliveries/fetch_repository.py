"""SQL of deliveries that only name an object. Every statement is built once."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, bindparam, select, update

from gateway.deliveries.models import delivery
from shared.db.rows import RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

_TENANT: Final = delivery.c.tenant_id == bindparam("tenant")
_due = (
    select(delivery.c.id)
    .where(
        _TENANT,
        delivery.c.status == "fetching",
        delivery.c.fetch_at <= bindparam("now", type_=Instant),
    )
    .order_by(delivery.c.fetch_at, delivery.c.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
    .cte("due")
)
_CLAIM: Final = (
    update(delivery)
    .where(_TENANT, delivery.c.id == _due.c.id)
    .values(
        fetch_at=bindparam("until", type_=Instant),
        fetch_tries=delivery.c.fetch_tries + 1,
    )
    .returning(
        delivery.c.id,
        delivery.c.connection_id,
        delivery.c.platform,
        delivery.c.topic,
        delivery.c.body,
        delivery.c.fetch_at,
        delivery.c.fetch_tries,
    )
)
_fetched = RowsParameter("fetched", delivery, ("id", "status", "fetched", "reason", "fetch_at"))
_SETTLE: Final = (
    update(delivery)
    .where(
        _TENANT,
        delivery.c.id == _fetched.source.c.id,
        delivery.c.status == "fetching",
        # Whoever took it over meanwhile has another time in it.
        delivery.c.fetch_at == bindparam("until", type_=Instant),
    )
    .values({name: _fetched.source.c[name] for name in ("status", "fetched", "reason", "fetch_at")})
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What became of asking for a delivery's object."""

    id: UUID
    status: str
    fetched: bytes | None = None
    reason: str | None = None
    fetch_at: datetime | None = None


class FetchRepository:
    """Deliveries to be fetched for, of one shop, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def claim(self, limit: int, *, until: datetime) -> Sequence[Row[*tuple[Any, ...]]]:
        """Those that are due, the first first; nobody else takes them before `until`."""
        asked = {"tenant": self._uow.tenant_id, "now": self._uow.clock.now()}
        rows = await self._uow.rows(_CLAIM, {**asked, "until": until, "limit": limit})
        return sorted(rows, key=lambda row: row.id)

    async def settle(self, outcomes: Iterable[Fetched], *, until: datetime) -> None:
        """Write what became of deliveries that were claimed until then, and are so still."""
        values = _fetched.values(asdict(outcome) for outcome in outcomes)
        await self._uow.execute(_SETTLE, {"tenant": self._uow.tenant_id, "until": until, **values})
