"""The one form in which an event leaves: in lists, in streams, in webhooks."""

from typing import Any

import orjson
from pydantic import TypeAdapter
from sqlalchemy import Row

from gateway.events.catalogue import FeedEvent
from shared.pii import FieldMarks, MaskPlan


def rendered(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    """An event row as data to be dumped; its `data` is passed on as it lies there, unread."""
    return {
        "id": str(row.id),
        "object": "event",
        "type": row.type,
        "position": row.position,
        "occurred_at": row.occurred_at,
        "data": orjson.Fragment(row.data),
    }


def event_json(row: Row[*tuple[Any, ...]]) -> bytes:
    """An event as JSON; the same bytes whenever and wherever it is sent."""
    return orjson.dumps(rendered(row), option=orjson.OPT_UTC_Z)


class EventMask:
    """Hides personal data in events from callers who may not see them."""

    def __init__(self) -> None:
        schema = TypeAdapter[Any](FeedEvent).json_schema(mode="serialization")
        self._plan = MaskPlan(schema)

    def __call__(self, event: bytes, marks: FieldMarks) -> bytes:
        """The event, masked; `marks` are the shop's own."""
        return orjson.dumps(self._plan.apply(orjson.loads(event), marks))
