"""SQL of the feed. Every statement is built once, when this is imported."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Row,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from gateway.events.errors import EventNotFound
from gateway.events.models import event, event_log
from shared.db.rows import RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

_READ: Final = [event.c[name] for name in ("position", "id", "type", "occurred_at", "data")]
_TENANT = event.c.tenant_id == bindparam("tenant")
_LOG = event_log.c.tenant_id == bindparam("tenant")
_START = upsert(event_log).values(
    tenant_id=bindparam("tenant"), last_position=bindparam("count"), forgotten_position=0
)
# Holding this row until the commit is what makes positions gap-free and visible in order.
_ADVANCE = _START.on_conflict_do_update(
    index_elements=["tenant_id"],
    set_={"last_position": event_log.c.last_position + _START.excluded.last_position},
).returning(event_log.c.last_position)
_NEW = RowsParameter("event", event, ("position", "id", "type", "occurred_at", "data"))
_APPEND = (
    insert(event)
    .from_select(
        ["tenant_id", "recorded_at", *_NEW.columns],
        select(
            bindparam("tenant", type_=event.c.tenant_id.type),
            bindparam("now", type_=Instant),
            *(_NEW.source.c[name] for name in _NEW.columns),
        ),
    )
    .returning(event.c.position)
)
_BOUNDS = select(event_log.c.last_position, event_log.c.forgotten_position).where(_LOG)
_BY_ID = select(*_READ).where(_TENANT, event.c.id == bindparam("event_id"))
_UNTIL = bindparam("until", type_=BigInteger)
_WINDOW = (_TENANT, event.c.position > bindparam("after", type_=BigInteger))
_ANY_TYPE = select(*_READ).where(*_WINDOW, event.c.position <= _UNTIL).order_by(event.c.position)
_SOME_TYPES = _ANY_TYPE.where(event.c.type == bindparam("types", type_=ARRAY(Text)).any_())
_LIMIT = bindparam("row_limit", type_=BigInteger)
_ANY_PAGE = _ANY_TYPE.limit(_LIMIT)
_SOME_PAGE = _SOME_TYPES.limit(_LIMIT)
_RECORDED = select(event.c.recorded_at).where(
    _TENANT, event.c.position == bindparam("position", type_=BigInteger)
)
_OLDEST = (
    select(event.c.position, event.c.recorded_at)
    .where(*_WINDOW)
    .order_by(event.c.position)
    .limit(_LIMIT)
    .subquery()
)
_FORGETTABLE = select(func.max(_OLDEST.c.position)).where(
    _OLDEST.c.recorded_at < bindparam("before", type_=Instant)
)
_FORGET = delete(event).where(*_WINDOW, event.c.position <= _UNTIL)
_NOTE_FORGOTTEN = (
    update(event_log)
    .where(_LOG)
    .values(forgotten_position=func.greatest(event_log.c.forgotten_position, _UNTIL))
)


class NewEvent(NamedTuple):
    """An event without its position; `data` is JSON."""

    id: UUID
    type: str
    occurred_at: datetime
    data: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """What there is of a feed: positions `forgotten + 1` to `last`."""

    last: int
    forgotten: int


class FeedRepository:
    """The feed of one shop, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def append(self, events: Sequence[NewEvent]) -> range:
        """Give the events the next positions, in order; nobody else gives any until the commit."""
        tenant = {"tenant": self._uow.tenant_id}
        last = await self._uow.scalar(_ADVANCE, {**tenant, "count": len(events)})
        positions = range(last - len(events) + 1, last + 1)
        columns: dict[str, list[Any]] = {
            "event_position": list(positions),
            "event_id": [new.id for new in events],
            "event_type": [new.type for new in events],
            "event_occurred_at": [new.occurred_at for new in events],
            "event_data": [new.data for new in events],
        }
        await self._uow.execute(_APPEND, {**columns, **tenant, "now": self._uow.clock.now()})
        return positions

    async def bounds(self) -> Bounds:
        """How far the feed goes."""
        row = await self._uow.one_or_none(_BOUNDS, {"tenant": self._uow.tenant_id})
        return Bounds(0, 0) if row is None else Bounds(row.last_position, row.forgotten_position)

    async def get(self, event_id: UUID) -> Row[*tuple[Any, ...]]:
        """Raises EventNotFound."""
        row = await self._uow.one_or_none(
            _BY_ID, {"tenant": self._uow.tenant_id, "event_id": event_id}
        )
        if row is None:
            raise EventNotFound
        return row

    async def between(
        self, after: int, until: int, *, types: Sequence[str] | None, limit: int
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """The first events of positions `after + 1`..`until`, of some types or of any."""
        scope = {"tenant": self._uow.tenant_id, "after": after, "until": until, "row_limit": limit}
        if types is None:
            return await self._uow.rows(_ANY_PAGE, scope)
        return await self._uow.rows(_SOME_PAGE, {**scope, "types": list(types)})

    async def position_before(self, instant: datetime) -> int:
        """The last position that was recorded before an instant (0 when none was).

        Positions and times of recording grow together, so a few looks find it.
        """
        bounds = await self.bounds()
        low, high = bounds.forgotten, bounds.last
        while low < high:
            middle = (low + high + 1) // 2
            recorded = await self._uow.scalar(
                _RECORDED, {"tenant": self._uow.tenant_id, "position": middle}
            )
            if recorded is None or recorded < instant:
                low = middle
            else:
                high = middle - 1
        return low

    async def forget(self, *, before: datetime, limit: int) -> int:
        """Delete the oldest events, `limit` at most, that were recorded before; how many."""
        after = (await self.bounds()).forgotten
        scope = {"tenant": self._uow.tenant_id, "after": after}
        until = await self._uow.scalar(
            _FORGETTABLE, {**scope, "row_limit": limit, "before": before}
        )
        if until is None:
            return 0
        forgotten = await self._uow.execute(_FORGET, {**scope, "until": until})
        await self._uow.execute(_NOTE_FORGOTTEN, {"tenant": self._uow.tenant_id, "until": until})
        return forgotten
