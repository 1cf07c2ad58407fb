"""The asynchronous engine of one part's login role."""

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.json import dumps_text


def create_engine(url: str, *, pool_size: int, application: str) -> AsyncEngine:
    """An engine whose pool is larger than the concurrency one API process is meant to serve."""
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_use_lifo=True,
        pool_recycle=1800,
        # Units of work begin and commit by themselves; see transaction.py.
        isolation_level="AUTOCOMMIT",
        json_serializer=dumps_text,
        json_deserializer=orjson.loads,
        connect_args={
            "prepared_statement_cache_size": 256,
            "statement_cache_size": 512,
            "server_settings": {"application_name": application, "jit": "off"},
        },
    )
