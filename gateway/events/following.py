"""Waiting for a feed to grow, for any number of followers at the price of one.

Per shop that is followed in this process one task looks at the feed's last position: at once when
another process hints that there is something new, and otherwise every so often, more rarely the
longer nothing happens. The looks are what can be relied on; the hints make it fast.
"""

import asyncio
import contextlib
from typing import Final
from uuid import UUID

import structlog

from gateway.events.announcing import CHANNEL
from gateway.events.repository import FeedRepository
from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId
from shared.queue.signals import Signals
from shared.web.draining import Draining

_SHORTEST_SECONDS: Final = 0.05
_LONGEST_SECONDS: Final = 2.0
_log = structlog.get_logger(__name__)


class _Followed:
    """One shop's feed as far as it was seen, and who waits for more."""

    def __init__(self) -> None:
        self.last = 0
        self.followers = 0
        self.grown = asyncio.Event()
        self.hinted = asyncio.Event()
        self.task: asyncio.Task[None] | None = None


class Followers:
    """Wakes those who follow feeds; one per process."""

    def __init__(
        self,
        *,
        units: UnitsOfWork,
        signals: Signals,
        shortest_seconds: float = _SHORTEST_SECONDS,
        longest_seconds: float = _LONGEST_SECONDS,
    ) -> None:
        self._units = units
        self._shortest = shortest_seconds
        self._longest = longest_seconds
        self._signals = signals
        self._feeds: dict[TenantId, _Followed] = {}
        self._hearing: asyncio.Task[None] | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    @property
    def is_closing(self) -> bool:
        """Whether followers shall leave: the process is going to end."""
        return self._closing.is_set()

    async def wait_for_more(self, tenant_id: TenantId, *, after: int, seconds: float) -> bool:
        """Wait until a feed has gone beyond a position, or the process is going to end.

        False when nothing of the kind happened for `seconds`.
        """
        feed = self._feeds.setdefault(tenant_id, _Followed())
        feed.followers += 1
        if feed.task is None:
            feed.task = asyncio.create_task(self._look(tenant_id, feed))
        if self._hearing is None:
            self._hearing = asyncio.create_task(self._hear())
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while feed.last <= after and not self.is_closing:
                        await feed.grown.wait()
                    return True
            return False
        finally:
            feed.followers -= 1

    def leave_with(self, draining: Draining) -> None:
        """Have every follower leave once the process is told to end."""
        if self._leaving is None:
            self._leaving = asyncio.create_task(self._leave_with(draining))

    async def _leave_with(self, draining: Draining) -> None:
        await draining.wait()
        self.leave()

    def leave(self) -> None:
        """Have every follower leave soon."""
        self._closing.set()
        for feed in self._feeds.values():
            feed.grown.set()

    async def close(self) -> None:
        """End what runs in the background."""
        self.leave()
        running = [feed.task for feed in self._feeds.values()]
        running += [self._hearing, self._leaving]
        tasks = [task for task in running if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._signals.close()

    async def _look(self, tenant_id: TenantId, feed: _Followed) -> None:
        """Look until nobody has followed for a while."""
        pause = self._shortest
        while feed.followers or pause < self._longest:
            if await self._has_grown(tenant_id, feed):
                pause = self._shortest
                feed.grown.set()
                feed.grown = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await feed.hinted.wait()
            feed.hinted.clear()
            pause = min(pause * 1.5, self._longest)
        feed.task = None
        if not feed.followers:
            self._feeds.pop(tenant_id, None)

    async def _has_grown(self, tenant_id: TenantId, feed: _Followed) -> bool:
        try:
            async with self._units.begin(tenant_id) as uow:
                last = (await FeedRepository(uow).bounds()).last
        except Exception as error:  # noqa: BLE001  (the next look is the retry)
            _log.warning("feed_not_seen", tenant=tenant_id.hex, error=repr(error)[:200])
            return False
        grown, feed.last = last > feed.last, last
        return grown

    async def _hear(self) -> None:
        async for text in self._signals.hear(CHANNEL):
            feed = self._feeds.get(TenantId(UUID(text)))
            if feed is not None:
                feed.hinted.set()
