"""Server-sent events on the wire."""

import asyncio
from collections.abc import AsyncIterator

from shared.web.draining import Draining
from shared.web.sse import ServerEvent, event_stream


async def told(
    *events: ServerEvent, gap: asyncio.Event | None = None
) -> AsyncIterator[ServerEvent]:
    for event in events:
        yield event
    if gap is not None:
        await gap.wait()


async def body(response) -> bytes:
    async with asyncio.timeout(5):
        return b"".join([chunk async for chunk in response.body_iterator])


async def test_an_event_has_its_id_its_name_and_every_line_of_its_data():
    response = event_stream(told(ServerEvent("7", "progress", '{"a":1}\nb')), draining=Draining())
    assert await body(response) == (
        b'retry: 1000\n\nid: 7\nevent: progress\ndata: {"a":1}\ndata: b\n\n'
    )
    assert response.media_type == "text/event-stream"
    assert response.headers["x-accel-buffering"] == "no"


async def test_silence_is_broken_and_has_an_end():
    silent = asyncio.Event()
    stream = event_stream(
        told(ServerEvent("1", "a", "x"), gap=silent),
        draining=Draining(),
        heartbeat_seconds=0.01,
        life_seconds=0.1,
    )
    received = await body(stream)
    assert received.count(b": still here\n\n") >= 3
    assert received.count(b"id: 1") == 1


async def test_the_source_is_closed_when_nobody_listens_any_more():
    closed = asyncio.Event()

    async def source() -> AsyncIterator[ServerEvent]:
        try:
            yield ServerEvent("1", "a", "x")
            await asyncio.Event().wait()
        finally:
            closed.set()

    content = event_stream(source(), draining=Draining()).body_iterator
    assert await anext(content) == b"retry: 1000\n\n"
    assert await anext(content) == b"id: 1\nevent: a\ndata: x\n\n"
    await content.aclose()
    assert closed.is_set()
