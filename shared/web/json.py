"""JSON as the house writes it outside of pydantic models."""

from typing import Any

import orjson


def dumps(value: Any) -> bytes:
    """Compact UTF-8 JSON; datetimes and UUIDs as RFC 3339 and RFC 9562 text."""
    return orjson.dumps(value)
