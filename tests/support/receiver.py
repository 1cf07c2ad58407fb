"""Receivers of webhooks as real servers on loopback, whose answers a test decides on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Answer = Callable[[Received], web.StreamResponse]


def ok(_request: Received) -> web.Response:
    return web.Response(text="thank you")


@dataclass
class Receiver:
    """Remembers what it was sent; paths under `/hang` are never answered."""

    base_url: str = ""
    answer: Answer = ok
    received: list[Received] = field(default_factory=list)
    hanging: int = 0
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str = "/in") -> str:
        return f"{self.base_url}{path}"

    def at(self, path: str) -> list[Received]:
        return [request for request in self.received if request.path == path]

    async def take(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        received = Received(request.path, headers, await request.read())
        self.received.append(received)
        if request.path.startswith("/hang"):
            self.hanging += 1
            await self.let_go.wait()
        return self.answer(received)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver for the length of a block."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        receiver.let_go.set()
        await runner.cleanup()
