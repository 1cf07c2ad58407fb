"""Counting requests: decided here and now, settled with all other processes a moment later.

Each process has buckets of its own and decides by them, which costs a microsecond and can never
wait for anybody. What it spent it tells Redis at once when it has not for a while, and then every
tenth of a second, all buckets in one round trip; what it hears back replaces what it believed. So
several processes together may let through a little more than a bucket holds, and that little is a
debt which is paid before anything else is let through. Without Redis every process goes on by its
own buckets: never closed, never without a limit.
"""

import asyncio
import contextlib
import contextvars
import itertools
import time
from collections.abc import Callable
from typing import Final

import structlog
from prometheus_client import Counter

from gateway.access.rate_limit import RateLimit
from gateway.limits.bucket import Bucket
from gateway.limits.shared_buckets import SharedBuckets, SharedBucketsUnavailable, Spending

_log = structlog.get_logger(__name__)
_MOST_KEPT: Final = 50_000
_MOST_AT_ONCE: Final = 500
_SETTLE_SECONDS: Final = 0.1
_RETRY_SECONDS: Final = 1.0
_UNSETTLED = Counter(
    "careloop_rate_limits_unsettled_total", "Times that Redis could not be told what was spent"
)


class RateLimiter:
    """The buckets of one process."""

    def __init__(
        self,
        shared: SharedBuckets,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        settle_seconds: float = _SETTLE_SECONDS,
        retry_seconds: float = _RETRY_SECONDS,
        most_kept: int = _MOST_KEPT,
    ) -> None:
        self._shared = shared
        self._now = monotonic
        self._settle_seconds = settle_seconds
        self._retry_seconds = retry_seconds
        self._most_kept = most_kept
        self._buckets: dict[str, Bucket] = {}
        self._to_settle: dict[str, Bucket] = {}
        self._settling: asyncio.Task[None] | None = None
        self._is_alone = False
        self._closing = asyncio.Event()

    def bucket(self, name: str, limit: RateLimit) -> Bucket:
        """The bucket of a name, refilled."""
        now = self._now()
        bucket = self._buckets.get(name)
        if bucket is None or (bucket.limit is not limit and bucket.limit != limit):
            bucket = self._add(name, limit, now)
        else:
            bucket.refill(now)
        return bucket

    def spend(self, *buckets: Bucket) -> Bucket | None:
        """Take a token from each, or none at all: then the bucket that is empty is returned."""
        for bucket in buckets:
            if bucket.tokens < 1:
                self._settle_soon(bucket)
                return bucket
        for bucket in buckets:
            bucket.spend()
            self._settle_soon(bucket)
        return None

    async def settled(self) -> None:
        """Wait until what was spent so far has been told, or could not be told."""
        while self._settling is not None:
            await asyncio.shield(self._settling)

    async def close(self) -> None:
        """Tell what was spent, and close."""
        self._closing.set()
        await self.settled()
        await self._shared.close()

    def _add(self, name: str, limit: RateLimit, now: float) -> Bucket:
        if len(self._buckets) >= self._most_kept:
            self._make_room(now)
        bucket = self._buckets[name] = Bucket(name, limit, now)
        return bucket

    def _make_room(self, now: float) -> None:
        """Forget those that are full again, or else the oldest; Redis still knows them."""
        for bucket in list(self._buckets.values()):
            bucket.refill(now)
            if bucket.is_full:
                del self._buckets[bucket.name]
        too_many = len(self._buckets) - self._most_kept * 9 // 10
        for name in list(itertools.islice(self._buckets, max(0, too_many))):
            del self._buckets[name]

    def _settle_soon(self, bucket: Bucket) -> None:
        if len(self._to_settle) < self._most_kept:
            self._to_settle[bucket.name] = bucket
        if self._settling is None and not self._closing.is_set():
            # In a context of its own: it serves no single request, and logs for none.
            self._settling = asyncio.get_running_loop().create_task(
                self._keep_settling(), context=contextvars.Context()
            )

    async def _keep_settling(self) -> None:
        """Settle at once, and again after a while, until nothing is spent any more."""
        try:
            while self._to_settle:
                heard = await self._settle()
                if self._closing.is_set():
                    return
                with contextlib.suppress(TimeoutError):
                    pause = self._settle_seconds if heard else self._retry_seconds
                    await asyncio.wait_for(self._closing.wait(), pause)
        finally:
            self._settling = None

    async def _settle(self) -> bool:
        names = list(itertools.islice(self._to_settle, _MOST_AT_ONCE))
        buckets = [self._to_settle.pop(name) for name in names]
        spendings = [Spending(b.name, b.capacity, b.per_second, b.take_spent()) for b in buckets]
        try:
            left = await self._shared.settle(spendings)
        except SharedBucketsUnavailable as error:
            for bucket, spending in zip(buckets, spendings, strict=True):
                bucket.was_not_heard(spending.spent)
                self._to_settle.setdefault(bucket.name, bucket)
            self._notice_loneliness(error)
            return False
        now = self._now()
        for bucket, tokens in zip(buckets, left, strict=True):
            bucket.hear(tokens, now)
        if self._is_alone:
            self._is_alone = False
            _log.info("rate_limits_shared_again")
        return True

    def _notice_loneliness(self, error: SharedBucketsUnavailable) -> None:
        _UNSETTLED.inc()
        if not self._is_alone:
            self._is_alone = True
            _log.warning("rate_limits_local_only", error=repr(error.__cause__)[:200])
