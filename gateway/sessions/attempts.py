"""Counting guesses, so that each costs more time than the one before; the arithmetic and memory."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

_PATIENCE_SECONDS: Final = 0.5
_MOST_KEPT: Final = 10_000

# As `LocalAttempts.take` below, which the tests hold it against. Nothing is counted when any of
# the keys has to wait.
_TAKE: Final = """
local now = tonumber(ARGV[1])
local wait = 0
for _, key in ipairs(KEYS) do
  local until_ = tonumber(redis.call('HGET', key, 'until') or 0)
  wait = math.max(wait, until_ - now)
end
local told = {tostring(wait)}
for i, key in ipairs(KEYS) do
  local limit = tonumber(ARGV[i * 4 - 2])
  local first, longest = tonumber(ARGV[i * 4 - 1]), tonumber(ARGV[i * 4])
  local decay = tonumber(ARGV[i * 4 + 1])
  local kept = redis.call('HMGET', key, 'count', 'at', 'until')
  local count, until_ = tonumber(kept[1] or 0), tonumber(kept[3] or 0)
  local at = tonumber(kept[2] or now)
  if wait <= 0 then
    count = math.max(0, count - math.max(0, now - at) / decay) + 1
    local half = math.max(math.floor(limit / 2), 1)
    local guesses = math.floor(count + 0.5)
    local pause = 0
    if guesses >= limit then
      pause = math.min(longest, first * 2 ^ math.min(30, guesses - limit))
    elseif guesses >= half then
      pause = math.min(first, 2 ^ math.min(30, guesses - half))
    end
    at, until_ = now, pause > 0 and now + pause or 0
    redis.call('HSET', key, 'count', string.format('%.17g', count),
      'at', string.format('%.17g', at), 'until', string.format('%.17g', until_))
    redis.call('EXPIRE', key, math.ceil(count * decay + longest))
  end
  table.insert(told, string.format('%.17g', count))
  table.insert(told, string.format('%.17g', at))
  table.insert(told, string.format('%.17g', until_))
end
return told
"""
_GIVE_BACK: Final = """
local count = tonumber(redis.call('HGET', KEYS[1], 'count') or 0)
if count > 0 then
  redis.call('HSET', KEYS[1], 'count', string.format('%.17g', math.max(0, count - 1)), 'until', '0')
end
"""


@dataclass(frozen=True, slots=True)
class AttemptRule:
    """How guesses become slow.

    From half of `limit` on each costs a pause that doubles from a second; from `limit` on, a
    lock that doubles from `first_wait` to `longest_wait` seconds. One guess is forgotten every
    `decay` seconds.
    """

    limit: int
    first_wait: float
    longest_wait: float
    decay: float

    def wait(self, count: float) -> float:
        """Seconds until the next guess after `count` of them."""
        half = max(self.limit // 2, 1)
        guesses = math.floor(count + 0.5)
        if guesses >= self.limit:
            return min(self.longest_wait, self.first_wait * 2.0 ** min(30, guesses - self.limit))
        if guesses >= half:
            return min(self.first_wait, 2.0 ** min(30, guesses - half))
        return 0


@dataclass(frozen=True, slots=True)
class Counted:
    """What is kept of one key."""

    count: float = 0.0
    at: float = 0.0
    until: float = 0.0


Keys = Sequence[tuple[str, AttemptRule]]


class AttemptsUnavailable(Exception):
    """Redis could not be asked; how it failed is the cause."""


class LocalAttempts:
    """What this process knows; used alone while Redis cannot be asked."""

    def __init__(self) -> None:
        self._kept: dict[str, Counted] = {}

    def take(self, keys: Keys, *, now: float) -> float:
        """Count a guess with every key, or none: then the seconds to wait are returned."""
        wait = max(self._find(name).until - now for name, _ in keys)
        if wait > 0:
            return wait
        for name, rule in keys:
            kept = self._find(name)
            left = max(0.0, kept.count - max(0.0, now - (kept.at or now)) / rule.decay)
            pause = rule.wait(left + 1)
            self.learn(name, Counted(left + 1, now, now + pause if pause else 0.0))
        return 0

    def give_back(self, name: str) -> None:
        """One guess was none."""
        kept = self._find(name)
        if kept.count > 0:
            self.learn(name, Counted(max(0.0, kept.count - 1), kept.at))

    def forget(self, name: str) -> None:
        """Start over."""
        self._kept.pop(name, None)

    def learn(self, name: str, counted: Counted) -> None:
        """Keep what is known of a key; the oldest goes when there are too many."""
        self._kept.pop(name, None)
        while len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[name] = counted

    def _find(self, name: str) -> Counted:
        return self._kept.get(name, Counted())


class SharedAttempts:
    """What all processes know, in Redis; connects when first asked."""

    def __init__(self, redis_url: str) -> None:
        self._redis = Redis.from_url(
            redis_url,
            socket_timeout=_PATIENCE_SECONDS,
            socket_connect_timeout=_PATIENCE_SECONDS,
            retry=Retry(NoBackoff(), 0),
            client_name="careloop-logins",
        )
        self._take = self._redis.register_script(_TAKE)
        self._give_back = self._redis.register_script(_GIVE_BACK)

    async def take(self, keys: Keys, *, now: float) -> tuple[float, list[Counted]]:
        """As `LocalAttempts.take`, and what is kept of each key now.

        Raises AttemptsUnavailable.
        """
        arguments = [repr(now)]
        for _, rule in keys:
            figures = (rule.limit, rule.first_wait, rule.longest_wait, rule.decay)
            arguments += [str(figure) for figure in figures]
        try:
            told = await self._take(keys=[name for name, _ in keys], args=arguments)
        except (RedisError, OSError, TimeoutError) as error:
            raise AttemptsUnavailable from error
        wait, *kept = (float(figure) for figure in told)
        return wait, [Counted(*kept[i : i + 3]) for i in range(0, len(kept), 3)]

    async def give_back(self, name: str) -> None:
        """One guess was none. Raises AttemptsUnavailable."""
        try:
            await self._give_back(keys=[name])
        except (RedisError, OSError, TimeoutError) as error:
            raise AttemptsUnavailable from error

    async def forget(self, name: str) -> None:
        """Start over. Raises AttemptsUnavailable."""
        try:
            await self._redis.delete(name)
        except (RedisError, OSError, TimeoutError) as error:
            raise AttemptsUnavailable from error

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
