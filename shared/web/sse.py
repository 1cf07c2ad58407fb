"""Server-sent events (WHATWG HTML, "Server-sent events"): a stream that a client can take up again.

Every event carries an id; a client that was cut off sends the last one as `Last-Event-ID`. Silence
is broken by comments, so that nobody in between takes the connection for dead.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Header
from fastapi.responses import StreamingResponse

from shared.web.draining import Draining

MEDIA_TYPE: Final = "text/event-stream"
HEARTBEAT_SECONDS: Final = 10.0
LIFE_SECONDS: Final = 300.0
"""A stream ends by itself after this time: whoever reconnects shows its credentials again."""

_RETRY: Final = b"retry: 1000\n\n"
_HEARTBEAT: Final = b": still here\n\n"
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: `data` is JSON in one line or text in several."""

    id: str
    name: str
    data: str

    def encoded(self) -> bytes:
        """The event as it goes over the wire."""
        lines = "".join(f"data: {line}\n" for line in self.data.splitlines() or [""])
        return f"id: {self.id}\nevent: {self.name}\n{lines}\n".encode()


def event_stream(
    events: AsyncIterator[ServerEvent],
    *,
    draining: Draining,
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
    life_seconds: float = LIFE_SECONDS,
) -> StreamingResponse:
    """An answer that goes on as long as `events` does, at most `life_seconds`.

    It ends, too, when its process is about to: the client comes back to another one. `events` is
    closed when the client hangs up. It must hold no connection to the database while it waits.
    """
    content = _beating(
        events, draining, heartbeat_seconds=heartbeat_seconds, life_seconds=life_seconds
    )
    return StreamingResponse(content, media_type=MEDIA_TYPE, headers=_HEADERS)


def stream_responses() -> dict[int | str, dict[str, Any]]:
    """How the OpenAPI document tells of a stream, for `responses=` of a route."""
    return {
        200: {
            "description": "Events, as they happen",
            # OpenAPI 3.1 has no words for one event of a stream; 3.2 will.
            "content": {MEDIA_TYPE: {}},
        }
    }


async def last_event_id(
    last_event_id: Annotated[
        str | None,
        Header(max_length=200, description="The id of the last event received: go on after it"),
    ] = None,
) -> str | None:
    """What a client that was cut off has received last."""
    return last_event_id or None


async def _beating(
    events: AsyncIterator[ServerEvent],
    draining: Draining,
    *,
    heartbeat_seconds: float,
    life_seconds: float,
) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + life_seconds
    upcoming: asyncio.Task[ServerEvent | None] = asyncio.create_task(_next(events))
    ending = asyncio.create_task(draining.wait())
    try:
        yield _RETRY
        while not ending.done() and (left := ends_at - loop.time()) > 0:
            await asyncio.wait(
                {upcoming, ending},
                timeout=min(heartbeat_seconds, left),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if ending.done() and not upcoming.done():
                return
            if not upcoming.done():
                yield _HEARTBEAT
                continue
            event = upcoming.result()
            if event is None:
                return
            yield event.encoded()
            upcoming = asyncio.create_task(_next(events))
    finally:
        for task in (upcoming, ending):
            task.cancel()
        await asyncio.gather(upcoming, ending, return_exceptions=True)
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()


async def _next(events: AsyncIterator[ServerEvent]) -> ServerEvent | None:
    return await anext(events, None)
