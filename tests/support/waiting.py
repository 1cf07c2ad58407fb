"""Waiting for a condition instead of sleeping."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(
    look: Callable[[], Awaitable[T]],
    accept: Callable[[T], bool] = bool,
    *,
    seconds: float = 30,
) -> T:
    """The first result of `look` that `accept` accepts. Fails with the last one seen."""
    deadline = time.monotonic() + seconds
    pause = 0.005
    while True:
        seen = await look()
        if accept(seen):
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s; last seen: {seen!r}")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.1)
