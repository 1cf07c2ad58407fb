"""Who is to be sent an event: written down set-wise, in the transaction that publishes it."""

from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Text, Uuid, bindparam, column, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from gateway.events.catalogue import matching_types
from gateway.events.repository import NewEvent
from gateway.webhooks.models import webhook_delivery
from gateway.webhooks.repository import EndpointRepository
from shared.db.rows import RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId

Wake = Callable[[TenantId], Awaitable[None]]

_EVENTS: Final = RowsParameter("event", webhook_delivery, ("event_id", "position", "type"))
_WANTED: Final = (
    func.unnest(bindparam("endpoints", type_=ARRAY(Uuid)), bindparam("types", type_=ARRAY(Text)))
    .table_valued(column("endpoint_id", Uuid), column("type", Text))
    .render_derived(name="wanted")
)
_NOW: Final = bindparam("now", type_=Instant)
# An event that a consumer's dead letter brings again has its deliveries already.
_SPREAD: Final = (
    insert(webhook_delivery)
    .from_select(
        [
            *("tenant_id", "endpoint_id", "event_id", "position", "type"),
            *("status", "attempts", "tries", "due_at", "created_at"),
        ],
        select(
            bindparam("tenant", type_=Uuid),
            _WANTED.c.endpoint_id,
            _EVENTS.source.c.event_id,
            _EVENTS.source.c.position,
            _EVENTS.source.c.type,
            *(literal("pending"), literal(0), literal(0), _NOW, _NOW),
        ).join_from(_EVENTS.source, _WANTED, _WANTED.c.type == _EVENTS.source.c.type),
    )
    .on_conflict_do_nothing(index_elements=["tenant_id", "endpoint_id", "event_id"])
)


@lru_cache(maxsize=4096)
def _types(patterns: tuple[str, ...]) -> frozenset[str]:
    return matching_types(patterns)


class Fanout:
    """Makes deliveries out of events. `wake` gets the sender going after the commit."""

    def __init__(self, *, wake: Wake) -> None:
        self._wake = wake

    async def spread(self, uow: UnitOfWork, events: Sequence[NewEvent], positions: range) -> None:
        """Queue the events for every endpoint that is on and asked for them."""
        happened = {event.type for event in events}
        wanted = [
            (row.id, type_)
            for row in await EndpointRepository(uow).listening()
            for type_ in _types(tuple(row.event_types)) & happened
        ]
        if not wanted:
            return
        rows: list[dict[str, Any]] = [
            {"event_id": event.id, "position": position, "type": event.type}
            for event, position in zip(events, positions, strict=True)
        ]
        parameters = {
            **_EVENTS.values(rows),
            "endpoints": [endpoint for endpoint, _ in wanted],
            "types": [type_ for _, type_ in wanted],
            "tenant": uow.tenant_id,
            "now": uow.clock.now(),
        }
        await uow.execute(_SPREAD, parameters)

        async def wake() -> None:
            await self._wake(uow.tenant_id)

        uow.after_commit(wake)
