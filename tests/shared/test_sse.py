"""Server-sent events on the wire."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator

import pytest

from shared.ids import TenantId, new_id
from shared.web.draining import Draining
from shared.web.sse import EventStream, OpenStreams, ServerEvent, TooManyStreams, event_stream

SHOP = TenantId(new_id())


async def told(
    *events: ServerEvent, gap: asyncio.Event | None = None
) -> AsyncIterator[ServerEvent]:
    for event in events:
        yield event
    if gap is not None:
        await gap.wait()


def stream(
    events: AsyncIterator[ServerEvent],
    *,
    tenant_id: TenantId = SHOP,
    streams: OpenStreams | None = None,
    **options: float,
) -> EventStream:
    return event_stream(
        events,
        tenant_id=tenant_id,
        streams=streams or OpenStreams(most=1),
        draining=Draining(),
        **options,
    )


async def body(response) -> bytes:
    async with asyncio.timeout(30):
        return b"".join([chunk async for chunk in response.body_iterator])


async def test_an_event_has_its_id_its_name_and_every_line_of_its_data():
    response = stream(told(ServerEvent("7", "progress", '{"a":1}\nb')))
    assert await body(response) == (
        b'retry: 1000\n\nid: 7\nevent: progress\ndata: {"a":1}\ndata: b\n\n'
    )
    assert response.media_type == "text/event-stream"
    assert response.headers["x-accel-buffering"] == "no"


async def test_silence_is_broken_and_has_an_end():
    silent = asyncio.Event()
    events = told(ServerEvent("1", "a", "x"), gap=silent)
    received = await body(stream(events, heartbeat_seconds=0.01, life_seconds=0.1))
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

    content = stream(source()).body_iterator
    assert await anext(content) == b"retry: 1000\n\n"
    assert await anext(content) == b"id: 1\nevent: a\ndata: x\n\n"
    await content.aclose()
    assert closed.is_set()


async def test_a_shop_has_as_many_streams_as_it_may_and_takes_nobody_elses():
    streams = OpenStreams(most=2)
    held = [stream(told(), streams=streams) for _ in range(2)]
    with pytest.raises(TooManyStreams) as refused:
        stream(told(), streams=streams)
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "10"})
    other = TenantId(new_id())
    stream(told(), streams=streams, tenant_id=other)
    assert (len(held), streams.count(SHOP)) == (2, 2)


@pytest.mark.parametrize("failure", [None, OSError("gone"), asyncio.CancelledError()])
async def test_a_stream_is_counted_until_it_ends_however_it_ends(failure):
    streams = OpenStreams(most=1)
    response = stream(told(ServerEvent("1", "a", "x")), streams=streams)

    async def send(message):
        assert streams.count(SHOP) == 1
        if failure is not None:
            raise failure

    async def receive():
        await asyncio.Event().wait()

    scope = {"type": "http", "asgi": {"spec_version": "2.3"}}
    with contextlib.suppress(BaseException):
        await response(scope, receive, send)
    assert streams.count(SHOP) == 0
    assert stream(told(), streams=streams) is not response


async def test_a_stream_that_is_never_sent_is_not_counted_any_more():
    streams = OpenStreams(most=1)
    gc.freeze()  # What other tests have left need not be looked through.
    try:
        for _ in range(3):
            assert stream(told(), streams=streams) is not None
            gc.collect()
    finally:
        gc.unfreeze()
