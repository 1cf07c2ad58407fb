"""A part of the house as the gateway reaches it: in this process, or over HTTP."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from starlette.types import ASGIApp

from gateway.upstreams.http import HttpForwarder
from gateway.upstreams.lifespan import running_lifespan


class Upstream(Protocol):
    """Answers requests that the gateway has let in."""

    @property
    def handle(self) -> ASGIApp:
        """What answers one request; its scope carries the principal token."""
        ...

    def running(self) -> AbstractAsyncContextManager[None]:
        """Keep it ready to answer."""
        ...


class InProcessUpstream:
    """An application in this process: no socket, no serialisation, no copy of a body."""

    def __init__(self, app: ASGIApp) -> None:
        self.handle = app

    def running(self) -> AbstractAsyncContextManager[None]:
        """Run the application's own start-up and shut-down."""
        return running_lifespan(self.handle)


class HttpUpstream:
    """An application at one or more base URLs, through one pool; bodies stream both ways."""

    def __init__(
        self, *base_urls: str, connect_seconds: float = 2, silence_seconds: float = 30
    ) -> None:
        self._forwarder = HttpForwarder(
            base_urls, connect_seconds=connect_seconds, silence_seconds=silence_seconds
        )
        self.handle: ASGIApp = self._forwarder

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hold the pool open."""
        await self._forwarder.open()
        try:
            yield
        finally:
            await self._forwarder.close()
