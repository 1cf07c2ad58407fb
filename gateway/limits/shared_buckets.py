"""The buckets that all processes share, in Redis: one script, one round trip for many buckets."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.limits.bucket import DEEPEST_DEBT

_PATIENCE_SECONDS: Final = 0.5
_MILLI: Final = 1000

# Time is the server's, so that the clocks of the processes do not matter. A bucket that would be
# full again has expired, which comes to the same.
_SETTLE: Final = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local left = {}
for i, key in ipairs(KEYS) do
  local capacity = tonumber(ARGV[i * 4 - 3])
  local rate = tonumber(ARGV[i * 4 - 2])
  local spent = tonumber(ARGV[i * 4 - 1])
  local deepest = tonumber(ARGV[i * 4])
  local kept = redis.call('HMGET', key, 'tokens', 'at')
  local tokens = capacity
  if kept[1] and kept[2] then
    local passed = math.max(0, now - tonumber(kept[2]))
    tokens = math.min(capacity, tonumber(kept[1]) + passed * rate)
  end
  tokens = math.max(tokens - spent, -deepest)
  if spent > 0 then
    redis.call('HSET', key, 'tokens', string.format('%.6f', tokens),
      'at', string.format('%.6f', now))
    redis.call('PEXPIRE', key, math.ceil((capacity - tokens) / rate * 1000) + 1000)
  end
  left[i] = math.floor(tokens * 1000)
end
return left
"""


class SharedBucketsUnavailable(Exception):
    """Redis could not be asked; how it failed is the cause."""


@dataclass(frozen=True, slots=True)
class Spending:
    """What one process has spent of one bucket since it told last."""

    name: str
    capacity: float
    per_second: float
    spent: int


class SharedBuckets:
    """Settles what processes have spent; connects when first asked."""

    def __init__(self, redis_url: str) -> None:
        self._redis = Redis.from_url(
            redis_url,
            socket_timeout=_PATIENCE_SECONDS,
            socket_connect_timeout=_PATIENCE_SECONDS,
            retry=Retry(NoBackoff(), 0),
            client_name="careloop-limits",
        )
        self._settle = self._redis.register_script(_SETTLE)

    async def settle(self, spendings: Sequence[Spending]) -> list[float]:
        """The tokens left in each bucket. Raises SharedBucketsUnavailable."""
        arguments: list[str] = []
        for s in spendings:
            deepest = math.ceil(s.capacity * DEEPEST_DEBT)
            arguments += [f"{s.capacity:.0f}", f"{s.per_second:.9f}", str(s.spent), str(deepest)]
        try:
            left = await self._settle(keys=[s.name for s in spendings], args=arguments)
        except (RedisError, OSError, TimeoutError) as error:
            raise SharedBucketsUnavailable from error
        return [tokens / _MILLI for tokens in left]

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
