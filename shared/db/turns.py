"""Two at work at once: things are made ready in a thread while the server writes those before them.

For batches: what many rows take of this process and what they take of the server is about as much,
and the server has a processor of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Turn(Generic[T]):
    """One thing to be written; `make_ready` asks no server, for it runs in a thread."""

    make_ready: Callable[[], T]
    write: Callable[[T], Awaitable[Any]]


async def take_turns(
    turns: Sequence[Turn[Any]], *, when_all_is_ready: Callable[[], None] | None = None
) -> None:
    """Make things ready and write them, both in their order.

    Calls `when_all_is_ready` when there is nothing left for this process but to wait. Raises what a
    turn raises; nothing is at work any more then.
    """
    loop, wanted = asyncio.get_running_loop(), list(turns)
    ready: asyncio.Queue[Any] = asyncio.Queue()

    def make_ready() -> None:
        while wanted:
            thing = wanted.pop(0).make_ready()
            loop.call_soon_threadsafe(ready.put_nowait, thing)

    making = asyncio.create_task(asyncio.to_thread(make_ready))
    if when_all_is_ready is not None:
        making.add_done_callback(lambda _: when_all_is_ready())
    try:
        for turn in turns:
            await turn.write(await _next(ready, making))
    finally:
        wanted.clear()
        await asyncio.gather(making, return_exceptions=True)


async def _next(ready: "asyncio.Queue[Any]", making: "asyncio.Task[None]") -> Any:
    """The next thing; raises what kept it from being made ready."""
    coming = asyncio.create_task(ready.get())
    await asyncio.wait([coming, making], return_when=asyncio.FIRST_COMPLETED)
    if not coming.done() and ready.empty():
        coming.cancel()
        making.result()
    return await coming
