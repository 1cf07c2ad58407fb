"""Forwarding over HTTP with one pooled client.

Time-outs are for connecting and for silence, not for the whole: a stream of events may go on for
hours. Failures before the first byte of an answer become problems; after it, all one can do is
break off.
"""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final

import aiohttp
from multidict import CIMultiDict
from starlette.types import Message, Receive, Scope, Send
from yarl import URL

from gateway.errors import BadGateway, GatewayTimeout
from gateway.upstreams.headers import HOP_BY_HOP, forwarded_headers
from shared.errors import Unavailable

_SMALL: Final = 64 * 1024
# Shorter than the five seconds that uvicorn keeps an idle connection by default, so that a request
# is never sent into a connection that is being closed.
_KEEP_ALIVE_SECONDS: Final = 4
_NOT_OURS_TO_ADD: Final = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


class HttpForwarder:
    """An ASGI application that answers with what another server answers."""

    def __init__(self, base_url: str, *, connect_seconds: float, silence_seconds: float) -> None:
        self._base = URL(base_url)
        self._timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=connect_seconds, sock_read=silence_seconds
        )
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the pool."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_SECONDS),
            timeout=self._timeout,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=_NOT_OURS_TO_ADD,
        )

    async def close(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward one request.

        Raises Unavailable, GatewayTimeout or BadGateway when there is no answer to give.
        """
        if self._session is None:
            raise Unavailable("The gateway is starting or stopping")
        began = False

        async def tell(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._forward(self._session, scope, receive, tell)
        except (aiohttp.ClientError, OSError) as error:
            if began:
                raise
            raise _problem(error) from error

    async def _forward(
        self, session: aiohttp.ClientSession, scope: Scope, receive: Receive, send: Send
    ) -> None:
        headers = CIMultiDict(forwarded_headers(scope))
        async with session.request(
            scope["method"],
            self._target(scope),
            headers=headers,
            data=await _body(headers, receive),
            allow_redirects=False,
        ) as response:
            await send(
                {
                    "type": "http.response.start",
                    "status": response.status,
                    "headers": [
                        (name.lower(), value)
                        for name, value in response.raw_headers
                        if name.lower() not in HOP_BY_HOP
                    ],
                }
            )
            if (response.content_length or _SMALL) < _SMALL or _bodiless(scope, response.status):
                await send({"type": "http.response.body", "body": await response.read()})
            else:
                await _stream(response, receive, send)

    def _target(self, scope: Scope) -> URL:
        path = scope.get("raw_path") or scope["path"].encode()
        query: bytes = scope["query_string"]
        text = path.partition(b"?")[0].decode("latin-1")
        if query:
            text = f"{text}?{query.decode('latin-1')}"
        return URL(f"{self._base.origin()}{text}", encoded=True)


async def _body(headers: CIMultiDict[str], receive: Receive) -> bytes | AsyncIterator[bytes] | None:
    """A small body whole, a large one as a stream, none as None."""
    length = int(headers.get("Content-Length") or 0)
    if length == 0:
        return None
    if length > _SMALL:
        return _chunks(receive)
    return b"".join([chunk async for chunk in _chunks(receive)])


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise aiohttp.ClientConnectionError("the caller hung up")
        more = message.get("more_body", False)
        yield message.get("body", b"")


async def _stream(response: aiohttp.ClientResponse, receive: Receive, send: Send) -> None:
    """Pass on what comes, until it ends or the caller hangs up."""
    hung_up = asyncio.create_task(_disconnected(receive))
    passing_on = asyncio.create_task(_pass_on(response, send))
    try:
        await asyncio.wait({hung_up, passing_on}, return_when=asyncio.FIRST_COMPLETED)
        if passing_on.done():
            await passing_on
    finally:
        for task in (hung_up, passing_on):
            task.cancel()
        await asyncio.gather(hung_up, passing_on, return_exceptions=True)


async def _pass_on(response: aiohttp.ClientResponse, send: Send) -> None:
    async for chunk in response.content.iter_any():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _bodiless(scope: Scope, status: int) -> bool:
    empty = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
    return scope["method"] == "HEAD" or status in empty


def _problem(error: Exception) -> Unavailable | GatewayTimeout | BadGateway:
    if isinstance(error, aiohttp.ConnectionTimeoutError | aiohttp.ClientConnectorError):
        return Unavailable(headers={"Retry-After": "1"})
    if isinstance(error, TimeoutError):
        return GatewayTimeout()
    return BadGateway()
