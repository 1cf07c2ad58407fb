"""An end to work that takes too long, or that nobody waits for any more.

Either way the task of the request is cancelled where it stands. What it has asked of PostgreSQL is
cancelled there too and undone, and over HTTP the part behind hears that its caller is gone, so the
end travels as far as the work did. Once an answer has begun it may take its time: streams do.
"""

import asyncio
from collections import deque
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import CareloopError

# Most requests are answered before this, and cost no look at whether their client is still there.
_LOOK_AFTER_SECONDS: Final = 0.05


class DeadlineExceeded(CareloopError):
    """The request took longer than the house lets any; what it did is undone."""

    status = 504
    code = "deadline_exceeded"
    title = "The request took too long and was broken off"


class ClientGone(Exception):
    """Nobody waits for the answer any more; what the request did is undone."""


class Deadline:
    """Serves requests that begin their answer within so many seconds."""

    def __init__(self, app: ASGIApp, *, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Raises DeadlineExceeded or ClientGone, before an answer has begun."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._seconds) as limit:
            watch = _Watch(scope, receive, limit)
            looking = loop.call_later(_LOOK_AFTER_SECONDS, watch.begin)

            async def tell(message: Message) -> None:
                if message["type"] == "http.response.start":
                    limit.reschedule(None)
                    watch.end()
                await send(message)

            try:
                await self._app(scope, watch.receive, tell)
            except BaseException as error:
                if not limit.expired():
                    raise
                # Whatever it is, it comes of our breaking the work off.
                raise (ClientGone if watch.is_alone else DeadlineExceeded) from error
            finally:
                looking.cancel()
                watch.end()


class _Watch:
    """Stands between the server and the application, and hears when the client hangs up."""

    def __init__(self, scope: Scope, receive: Receive, limit: asyncio.Timeout) -> None:
        self._receive = receive
        self._limit = limit
        self._heard: deque[Message] = deque()
        self._listening: asyncio.Task[None] | None = None
        self._wants_to_listen = False
        self._has_whole_body = _has_no_body(scope)
        self.is_alone = False

    async def receive(self) -> Message:
        """The next message, for the application."""
        if self._listening is not None and not self._heard:
            await asyncio.wait({self._listening})
        if self._heard:
            return self._heard.popleft()
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            self._has_whole_body = True
            if self._wants_to_listen:
                self.begin()
        return message

    def begin(self) -> None:
        """Listen from now on, or as soon as the application has read the body."""
        self._wants_to_listen = True
        if self._has_whole_body and self._listening is None:
            self._listening = asyncio.create_task(self._listen())

    def end(self) -> None:
        """Leave the client to the application."""
        self._wants_to_listen = False
        if self._listening is not None:
            self._listening.cancel()

    async def _listen(self) -> None:
        while True:
            message = await self._receive()
            self._heard.append(message)
            if message["type"] == "http.disconnect":
                self.is_alone = True
                self._limit.reschedule(asyncio.get_running_loop().time())
                return


def _has_no_body(scope: Scope) -> bool:
    length = None
    for name, value in scope["headers"]:
        if name == b"transfer-encoding":
            return False
        if name == b"content-length":
            length = value
    return length is None or length == b"0"
