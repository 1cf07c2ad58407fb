"""Hints between processes that something is new, by Redis pub/sub. Any of them may be lost."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

_AGAIN_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 2.0
_log = structlog.get_logger(__name__)


class Signals:
    """Says and hears short texts on channels. Who relies on them must also look by itself."""

    def __init__(self, redis_url: str) -> None:
        self._redis: Redis = Redis.from_url(redis_url, socket_connect_timeout=_PATIENCE_SECONDS)

    async def say(self, channel: str, text: str) -> None:
        """Tell whoever listens now; says nothing when Redis is away."""
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._redis.publish(channel, text)

    async def hear(self, channel: str) -> AsyncIterator[str]:
        """What is said on a channel, for ever; what is said while Redis is away goes unheard."""
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(channel)
                    async for message in pubsub.listen():
                        yield message["data"].decode()
            except (RedisError, OSError) as error:
                _log.warning("signals_lost", error=type(error).__name__)
            await asyncio.sleep(_AGAIN_SECONDS)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
