"""Answers of the database, remembered for a few seconds, so that a request costs no query."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from shared.clock import Clock

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")

_RENEW_AFTER: Final = timedelta(seconds=1)


class TimedCache(Generic[KeyT, ValueT]):
    """Remembers what was loaded for at most `seconds` from when its loading began.

    Callers that ask for the same key at the same time share one loading. The oldest entries go
    first when there are more than `size`. What was not there (None) is kept apart, at most
    `misses` of it, so that nobody pushes out what is there by asking for what is not.
    """

    def __init__(
        self, *, clock: Clock, seconds: float, size: int = 10_000, misses: int = 1_000
    ) -> None:
        self._clock = clock
        self._life = timedelta(seconds=seconds)
        self._size = size
        self._most_misses = misses
        self._entries: dict[KeyT, tuple[datetime, ValueT]] = {}
        self._misses: dict[KeyT, tuple[datetime, ValueT]] = {}
        self._renewed: dict[KeyT, datetime] = {}
        self._loading: dict[KeyT, asyncio.Task[ValueT]] = {}

    def __contains__(self, key: KeyT) -> bool:
        """Whether there was something when it was last loaded, however long ago."""
        return key in self._entries

    async def get(self, key: KeyT, load: Callable[[], Awaitable[ValueT]]) -> ValueT:
        """The remembered value, or what `load` gives; its errors are not remembered."""
        entry = self._entries.get(key) or self._misses.get(key)
        if entry is not None and entry[0] > self._clock.now():
            return entry[1]
        task = self._loading.get(key)
        if task is None:
            task = asyncio.create_task(self._load(key, load))
            self._loading[key] = task
        # One caller who hangs up must not break the loading off for the others.
        return await asyncio.shield(task)

    async def renew(self, key: KeyT, load: Callable[[], Awaitable[ValueT]]) -> ValueT:
        """For who doubts the remembered value: it is loaded anew, but at most once a second."""
        now = self._clock.now()
        if key not in self._renewed or now - self._renewed[key] >= _RENEW_AFTER:
            _make_room(self._renewed, self._size)
            self._renewed[key] = now
            self.forget(key)
        return await self.get(key, load)

    def forget(self, key: KeyT) -> None:
        """Ask again next time, and do not remember what is being loaded right now."""
        self._entries.pop(key, None)
        self._misses.pop(key, None)
        self._loading.pop(key, None)

    async def _load(self, key: KeyT, load: Callable[[], Awaitable[ValueT]]) -> ValueT:
        good_until = self._clock.now() + self._life
        try:
            value = await load()
            if self._loading.get(key) is asyncio.current_task():
                self._remember(key, good_until, value)
            return value
        finally:
            if self._loading.get(key) is asyncio.current_task():
                del self._loading[key]

    def _remember(self, key: KeyT, good_until: datetime, value: ValueT) -> None:
        self._entries.pop(key, None)
        self._misses.pop(key, None)
        if value is None:
            _make_room(self._misses, self._most_misses)
            self._misses[key] = (good_until, value)
        else:
            _make_room(self._entries, self._size)
            self._entries[key] = (good_until, value)


def _make_room(entries: dict[KeyT, Any], size: int) -> None:
    while len(entries) >= size:
        del entries[next(iter(entries))]
