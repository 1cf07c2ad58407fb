"""JSON as the house writes it outside of pydantic models."""

from typing import Any
from uuid import UUID

import orjson


def dumps(value: Any) -> bytes:
    """Compact UTF-8 JSON; datetimes and UUIDs as RFC 3339 and RFC 9562 text."""
    return orjson.dumps(value, default=_plain)


def dumps_text(value: Any) -> str:
    """The same as text, for JSONB parameters."""
    return dumps(value).decode()


def _plain(value: Any) -> Any:
    # asyncpg's UUIDs are a subclass, which orjson does not take by itself.
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
