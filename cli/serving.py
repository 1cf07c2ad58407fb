"""The HTTP server of a process, and how it ends without losing a request.

SIGTERM begins the draining: `/readyz` answers 503, answers close their connections, everything
else goes on. After the grace the server stops listening and lets what runs come to its end. A
second signal ends the grace at once.
"""

import asyncio
import signal
from types import FrameType

import uvicorn

from shared.web.draining import Draining

# What runs when the listening has stopped may take so long; then it is cancelled.
FINISH_SECONDS = 10


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
