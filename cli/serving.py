"""The HTTP server of a process, and how it ends without losing a request.

SIGTERM begins the draining: `/readyz` answers 503, answers close their connections, everything
else goes on. After the grace the server stops listening, reads what those send whom it accepted
last, and lets what runs come to its end. A second signal ends the grace at once.
"""

import asyncio
import signal
import socket
from types import FrameType

import uvicorn

from shared.web.draining import Draining

# What runs when the listening has stopped may take so long; then it is cancelled.
FINISH_SECONDS = 10
# What a connection that was accepted at the very end has to be read within.
_READ_SECONDS = 0.1


class GracefulServer(uvicorn.Server):
    """A server that goes on answering for a while after it was told to end."""

    def __init__(self, config: uvicorn.Config, *, draining: Draining, grace_seconds: float) -> None:
        super().__init__(config)
        self._draining = draining
        self._grace_seconds = grace_seconds
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Remember the loop: signals come in outside of it."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)  # type: ignore[arg-type]

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen no more, and only then close the connections that nobody has sent anything over.

        uvicorn does both at once, and so throws away a request that is on its way over a
        connection it has accepted.
        """
        for server in self.servers:
            server.close()
        await asyncio.sleep(_READ_SECONDS)
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; end at once when that has begun, or when a person asks."""
        if sig == signal.SIGINT:
            super().handle_exit(sig, frame)
        elif self._loop is None or self._draining.has_begun:
            self._end()
        else:
            self._loop.call_soon_threadsafe(self._drain, self._loop)

    def _drain(self, loop: asyncio.AbstractEventLoop) -> None:
        self._draining.begin()
        loop.call_later(self._grace_seconds, self._end)

    def _end(self) -> None:
        # Not as a signal that was caught, which would be raised again at the end: the process did
        # what it was asked and exits with 0.
        self.should_exit = True
