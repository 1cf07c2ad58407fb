"""The last seconds of a process: it says that it goes, answers on, and holds nobody's line."""

import asyncio

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from cli.ports import LOOPBACK, free_port
from cli.serving import GracefulServer
from shared.part.app import create_part_app
from shared.part.context import build_context
from shared.security.principal import NO_TENANT
from shared.web.draining import Draining, draining_of
from shared.web.sse import OpenStreams, ServerEvent, event_stream
from tests.support.parts import part_settings
from tests.support.serving import running


@pytest.fixture
async def app(database_url: str, redis_url: str, root_key: str, source):
    settings = part_settings(
        "source", root_key=root_key, database_url=database_url, redis_url=redis_url
    )
    context = build_context(settings)
    yield create_part_app(context, title="Source", description="", routers=[])
    await context.close()


def client_of(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://part")


async def test_whoever_spreads_requests_is_told_first(app: FastAPI) -> None:
    async with client_of(app) as client:
        assert (await client.get("/readyz")).status_code == 200
        draining_of(app).begin()
        told = await client.get("/readyz")
        assert (told.status_code, told.json()["status"]) == (503, "draining")
        assert (await client.get("/healthz")).status_code == 200


async def test_each_answer_closes_its_connection(app: FastAPI) -> None:
    async with client_of(app) as client:
        assert "connection" not in (await client.get("/healthz")).headers
        draining_of(app).begin()
        assert (await client.get("/healthz")).headers["connection"] == "close"
        assert (await client.get("/nothing")).headers["connection"] == "close"


async def test_parts_in_one_process_end_together() -> None:
    door, part = Draining(), Draining()
    door.pass_on_to(part)
    door.begin()
    assert part.has_begun


async def test_a_stream_ends_with_its_process_and_not_with_a_broken_connection() -> None:
    closed = asyncio.Event()

    async def events():
        try:
            yield ServerEvent("1", "news", "first")
            await asyncio.Event().wait()
        finally:
            closed.set()

    draining = Draining()
    stream = event_stream(
        events(), tenant_id=NO_TENANT, streams=OpenStreams(most=1), draining=draining
    )
    frames = aiter(stream.body_iterator)
    assert [await anext(frames), await anext(frames)] == [
        b"retry: 1000\n\n",
        b"id: 1\nevent: news\ndata: first\n\n",
    ]
    asyncio.get_running_loop().call_later(0.05, draining.begin)
    async with asyncio.timeout(30):
        assert [frame async for frame in frames] == []
    assert closed.is_set()


async def test_who_was_accepted_last_is_still_heard(app: FastAPI) -> None:
    port = free_port()
    config = uvicorn.Config(app, host=LOOPBACK, port=port, lifespan="off", log_level="warning")
    server = GracefulServer(config, draining=draining_of(app), grace_seconds=0)
    async with asyncio.timeout(30), running(server):
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        server.should_exit = True
        # The very next moment counts: nothing that rests between two looks would catch it.
        while server.servers[0].is_serving():  # noqa: ASYNC110
            await asyncio.sleep(0)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(LOOPBACK, port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()
