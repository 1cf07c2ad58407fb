"""The writing end of a stream: events leave in the transaction of the change they tell of."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Executable, text

from shared.contracts.event import Event
from shared.ids import TenantId, new_id
from shared.observability.tracing import current_trace, tracing_enabled

_NOTHING = "{}"


class Outbox:
    """Collects the events of one unit of work and writes them in one statement."""

    def __init__(self, schema: str, tenant_id: TenantId) -> None:
        self._schema = schema
        self._tenant_id = tenant_id
        self._rows: list[tuple[UUID, UUID, str, str, str, datetime]] = []

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
        self._rows.append(
            (new_id(), key, event.type, event.model_dump_json(), _context(context), occurred_at)
        )

    def mark(self) -> int:
        """A point to rewind to."""
        return len(self._rows)

    def rewind(self, mark: int) -> None:
        """Forget what was appended after `mark`."""
        del self._rows[mark:]

    def flush(self) -> tuple[Executable, dict[str, Any]]:
        """The statement that writes everything collected, with its parameters; then empty."""
        ids, keys, types, data, contexts, times = zip(*self._rows, strict=True)
        self._rows = []
        return _insert(self._schema), {
            "tenant": self._tenant_id,
            "ids": list(ids),
            "keys": list(keys),
            "types": list(types),
            "data": list(data),
            "contexts": list(contexts),
            "times": list(times),
        }


def _context(given: Mapping[str, str] | None) -> str:
    traced = current_trace() if tracing_enabled() else {}
    if not given and not traced:
        return _NOTHING
    return orjson.dumps({**traced, **(given or {})}).decode()


@lru_cache
def _insert(schema: str) -> Executable:
    """Split 0 holds every event until a tenant outgrows one stream."""
    return text(
        f"""
        INSERT INTO {schema}.outbox
            (tenant_id, id, split, key, type, data, context, occurred_at)
        SELECT :tenant, e.id, 0, e.key, e.type, e.data::jsonb, e.context::jsonb, e.occurred_at
        FROM unnest(
            CAST(:ids AS uuid[]), CAST(:keys AS uuid[]), CAST(:types AS text[]),
            CAST(:data AS text[]), CAST(:contexts AS text[]), CAST(:times AS timestamptz[])
        ) AS e(id, key, type, data, context, occurred_at)
        ON CONFLICT (tenant_id, id) DO NOTHING
        """
    )
