"""The writing end of a stream: events leave in the transaction of the change they tell of."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    CTE,
    Executable,
    Text,
    Uuid,
    bindparam,
    cast,
    column,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql.dml import ReturningInsert

from shared.contracts.event import Event
from shared.db.tables import Instant, part_tables
from shared.ids import TenantId, new_id
from shared.observability.request_ids import REQUEST_ID, current_request_id
from shared.observability.tracing import current_trace, tracing_enabled

_NOTHING = "{}"


_Collected = tuple[UUID, UUID, str, str, str, datetime]


class Outbox:
    """Collects the events of one unit of work and writes them in one statement."""

    def __init__(self, schema: str, tenant_id: TenantId) -> None:
        self._schema = schema
        self._tenant_id = tenant_id
        self._rows: list[_Collected] = []

    def __len__(self) -> int:
        return len(self._rows)

    def append(
        self,
        event: Event,
        *,
        key: UUID,
        occurred_at: datetime,
        context: Mapping[str, str] | None = None,
    ) -> None:
        """Keep an event for the flush; `key` is the object whose events stay in order."""
        self._rows.append(_collected(event, key, occurred_at, _context(context)))

    def mark(self) -> list[_Collected]:
        """A point to rewind to."""
        return list(self._rows)

    def rewind(self, mark: list[_Collected]) -> None:
        """Be as it was at `mark`, also when what was there has been written and undone since."""
        self._rows = mark

    def flush(self) -> tuple[Executable, dict[str, Any]]:
        """The statement that writes everything collected, with its parameters; then empty."""
        return _statement(self._schema), {"tenant": self._tenant_id, **self.take()}

    def take(self) -> dict[str, Any]:
        """Everything collected, as the parameters of `outbox_rows`; then empty."""
        rows, self._rows = self._rows, []
        return _parameters(rows)


def written(events: Iterable[tuple[Event, UUID]], *, occurred_at: datetime) -> dict[str, Any]:
    """Events with their keys as the parameters of `outbox_rows`, without an outbox."""
    context = _context(None)
    return _parameters([_collected(event, key, occurred_at, context) for event, key in events])


def _collected(event: Event, key: UUID, occurred_at: datetime, context: str) -> _Collected:
    return (new_id(), key, event.type, event.model_dump_json(), context, occurred_at)


def _parameters(rows: Sequence[_Collected]) -> dict[str, Any]:
    columns = zip(*rows, strict=True) if rows else ((),) * len(_COLUMNS)
    return {name: list(values) for name, values in zip(_COLUMNS, columns, strict=True)}


def _context(given: Mapping[str, str] | None) -> str:
    traced = current_trace() if tracing_enabled() else {}
    request_id = current_request_id()
    if request_id is not None:
        traced[REQUEST_ID] = request_id
    if not given and not traced:
        return _NOTHING
    return orjson.dumps({**traced, **(given or {})}).decode()


_COLUMNS = ("event_ids", "event_keys", "event_types", "event_data", "event_contexts", "event_times")
_TYPES: tuple[Any, ...] = (Uuid, Uuid, Text, Text, Text, Instant)


def outbox_rows(schema: str) -> CTE:
    """The collected events as a part of another statement, to save a round trip on a hot path.

    Add it to a statement of the part with the parameter `tenant`, and run that with
    `UnitOfWork.rows_with_events` or `execute_with_events`.
    """
    return _insert(schema).cte("new_event")


@lru_cache
def _statement(schema: str) -> Executable:
    return _insert(schema)


def _insert(schema: str) -> ReturningInsert[Any]:
    """Split 0 holds every event until a tenant outgrows one stream."""
    outbox = part_tables(schema).outbox
    given = zip(_COLUMNS, _TYPES, strict=True)
    arrays: list[Any] = [bindparam(name, type_=ARRAY(type_)) for name, type_ in given]
    columns: list[Any] = [column(name, type_) for name, type_ in zip(_COLUMNS, _TYPES, strict=True)]
    event = func.unnest(*arrays).table_valued(*columns).render_derived(name="event")
    source = select(
        bindparam("tenant", type_=Uuid),
        event.c.event_ids,
        literal_column("0"),
        event.c.event_keys,
        event.c.event_types,
        cast(event.c.event_data, JSONB),
        cast(event.c.event_contexts, JSONB),
        event.c.event_times,
    )
    names = ["tenant_id", "id", "split", "key", "type", "data", "context", "occurred_at"]
    return insert(outbox).from_select(names, source).returning(outbox.c.id)
