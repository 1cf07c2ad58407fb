"""An application behind a real socket, for what an in-process client cannot see: streams."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from cli.ports import LOOPBACK, free_port
from shared.web.http_protocol import GuardedProtocol


@asynccontextmanager
async def serving(
    app: Any, *, lifespan: str = "off", http: type[GuardedProtocol] = GuardedProtocol
) -> AsyncIterator[str]:
    """Answer HTTP on loopback; gives the base URL."""
    port = free_port()
    config = uvicorn.Config(
        app,
        host=LOOPBACK,
        port=port,
        lifespan=lifespan,
        http=http,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    async with running(uvicorn.Server(config)):
        yield f"http://{LOOPBACK}:{port}"


@asynccontextmanager
async def running(server: uvicorn.Server) -> AsyncIterator[None]:
    """Run a server until the end of the block. Signals are the test run's own."""
    task = asyncio.create_task(server._serve())
    while not server.started:
        if task.done():
            task.result()
        await asyncio.sleep(0.005)
    try:
        yield
    finally:
        server.should_exit = True
        await task
