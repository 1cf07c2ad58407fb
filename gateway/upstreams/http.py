"""Forwarding over HTTP with one pooled client.

Time-outs are for connecting and for silence, not for the whole: a stream of events may go on for
hours. Failures before the first byte of an answer become problems; after it, all one can do is
break off.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Self

import aiohttp
from multidict import CIMultiDict
from starlette.types import Message, Receive, Scope, Send
from yarl import URL

from gateway.errors import BadGateway, GatewayTimeout
from gateway.upstreams.headers import HOP_BY_HOP, forwarded_headers
from gateway.upstreams.instances import Instance, Instances
from shared.errors import Unavailable

_SMALL: Final = 64 * 1024
# Shorter than the five seconds that uvicorn keeps an idle connection by default, so that a request
# is never sent into a connection that is being closed.
_KEEP_ALIVE_SECONDS: Final = 4
_NOT_OURS_TO_ADD: Final = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
_NOT_SENT: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
_CUT_OFF: Final = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)
_ASKING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(slots=True)
class _Exchange:
    """One request on its way. A small body is in memory; a large one can be sent only once."""

    scope: Scope
    receive: Receive
    send: Send
    headers: CIMultiDict[str]
    body: bytes | None
    answer_has_begun: bool = False

    @classmethod
    async def of(cls, scope: Scope, receive: Receive, send: Send) -> Self:
        headers = CIMultiDict(forwarded_headers(scope))
        length = int(headers.get("Content-Length") or 0)
        body = None
        if 0 < length <= _SMALL:
            body = b"".join([chunk async for chunk in _chunks(receive)])
        return cls(scope, receive, send, headers, body)

    @property
    def data(self) -> bytes | AsyncIterator[bytes] | None:
        """The body as the client takes it."""
        if self.is_streamed:
            return _chunks(self.receive)
        return self.body

    @property
    def is_streamed(self) -> bool:
        return self.body is None and int(self.headers.get("Content-Length") or 0) > 0

    @property
    def may_be_repeated(self) -> bool:
        """Whether sending it twice has no other effect than sending it once."""
        harmless = self.scope["method"] in _ASKING or "Idempotency-Key" in self.headers
        return harmless and not self.is_streamed

    async def tell(self, message: Message) -> None:
        """A part of the answer."""
        self.answer_has_begun = True
        await self.send(message)


class HttpForwarder:
    """An ASGI application that answers with what one of several equal servers answers.

    A request that never got out is sent to the next one. One whose answer did not come is sent
    again only when that is harmless: it asks, or it carries an Idempotency-Key.
    """

    def __init__(
        self, base_urls: Sequence[str], *, connect_seconds: float, silence_seconds: float
    ) -> None:
        self._instances = Instances(base_urls, clock=time.monotonic)
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
        exchange = await _Exchange.of(scope, receive, send)
        try:
            await self._ask(self._session, exchange)
        except (aiohttp.ClientError, OSError) as error:
            if exchange.answer_has_begun:
                raise
            raise _problem(error) from error

    async def _ask(self, session: aiohttp.ClientSession, exchange: _Exchange) -> None:
        """Ask one instance after the other until one has taken the request."""
        turn = self._instances.in_turn()
        if len(turn) == 1 and exchange.may_be_repeated:
            turn *= 2
        for left, instance in zip(reversed(range(len(turn))), turn, strict=True):
            try:
                await self._forward(session, instance, exchange)
            except _NOT_SENT:
                self._instances.not_reached(instance)
                if left == 0:
                    raise
            except _CUT_OFF:
                if left == 0 or exchange.answer_has_begun or not exchange.may_be_repeated:
                    raise
            else:
                return

    async def _forward(
        self, session: aiohttp.ClientSession, instance: Instance, exchange: _Exchange
    ) -> None:
        scope = exchange.scope
        async with session.request(
            scope["method"],
            _target(instance, scope),
            headers=exchange.headers,
            data=exchange.data,
            allow_redirects=False,
        ) as response:
            leaving = response.headers.get("Connection", "").lower() == "close"
            self._instances.answered(instance, leaving=leaving)
            await exchange.tell(
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
                await exchange.tell({"type": "http.response.body", "body": await response.read()})
            else:
                await _stream(response, exchange.receive, exchange.send)


def _target(instance: Instance, scope: Scope) -> URL:
    path = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    text = path.partition(b"?")[0].decode("latin-1")
    if query:
        text = f"{text}?{query.decode('latin-1')}"
    return URL(f"{instance.origin}{text}", encoded=True)


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
