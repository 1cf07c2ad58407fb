"""Server-sent events (WHATWG HTML, "Server-sent events"): a stream that a client can take up again.

Every event carries an id; a client that was cut off sends the last one as `Last-Event-ID`. Silence
is broken by comments, so that nobody in between takes the connection for dead.
"""

import asyncio
import weakref
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import FastAPI, Header, Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from shared.errors import TooManyRequests
from shared.ids import TenantId
from shared.web.draining import Draining
from shared.web.problems import problem_responses

MEDIA_TYPE: Final = "text/event-stream"
HEARTBEAT_SECONDS: Final = 10.0
LIFE_SECONDS: Final = 300.0
"""A stream ends by itself after this time: whoever reconnects shows its credentials again."""

_RETRY: Final = b"retry: 1000\n\n"
_HEARTBEAT: Final = b": still here\n\n"
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_RETRY_AFTER: Final = str(round(HEARTBEAT_SECONDS))


class TooManyStreams(TooManyRequests):
    """A shop listens as often as it may; one of its streams must end first."""

    code = "too_many_streams"
    title = "This shop has as many event streams open as it may have"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"{most:,} at most at a time; close one first", headers={"Retry-After": _RETRY_AFTER}
        )


class OpenStreams:
    """How many streams each shop has open in this process, `most` of them at a time.

    So no shop's listeners can take the room of all the others.
    """

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._open: Counter[TenantId] = Counter()

    def count(self, tenant_id: TenantId) -> int:
        """How many are open."""
        return self._open[tenant_id]

    def enter(self, tenant_id: TenantId) -> None:
        """Count one more. Raises TooManyStreams."""
        if self._open[tenant_id] >= self._most:
            raise TooManyStreams(self._most)
        self._open[tenant_id] += 1

    def leave(self, tenant_id: TenantId) -> None:
        """Count one less."""
        self._open[tenant_id] -= 1
        if not self._open[tenant_id]:
            del self._open[tenant_id]


class EventStream(StreamingResponse):
    """A stream that is counted from when it is made until it has ended, however it ends.

    Raises TooManyStreams. One that is never sent, because its unit of work could not be committed,
    is not counted any more when nobody holds it.
    """

    media_type = MEDIA_TYPE

    def __init__(
        self, content: AsyncIterator[bytes], *, tenant_id: TenantId, streams: OpenStreams
    ) -> None:
        streams.enter(tenant_id)
        self._leave = weakref.finalize(self, streams.leave, tenant_id)
        self._leave.atexit = False
        super().__init__(content, headers=_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what happens until one side ends it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()


def attach_open_streams(app: FastAPI, streams: OpenStreams) -> None:
    """Let the application's endpoints count their streams together."""
    app.state.open_streams = streams


async def open_streams(request: Request) -> OpenStreams:
    """The streams of the process that answers, as a dependency."""
    streams: OpenStreams = request.app.state.open_streams
    return streams


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
    tenant_id: TenantId,
    streams: OpenStreams,
    draining: Draining,
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
    life_seconds: float = LIFE_SECONDS,
) -> EventStream:
    """An answer that goes on as long as `events` does, at most `life_seconds`.

    It ends, too, when its process is about to: the client comes back to another one. `events` is
    closed when the client hangs up. It must hold no connection to the database while it waits.
    Raises TooManyStreams.
    """
    content = _beating(
        events, draining, heartbeat_seconds=heartbeat_seconds, life_seconds=life_seconds
    )
    return EventStream(content, tenant_id=tenant_id, streams=streams)


def stream_responses() -> dict[int | str, dict[str, Any]]:
    """How the OpenAPI document tells of a stream, for `responses=` of a route."""
    return {
        200: {
            "description": "Events, as they happen",
            # OpenAPI 3.1 has no words for one event of a stream; 3.2 will.
            "content": {MEDIA_TYPE: {}},
        },
        **problem_responses(429),
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
