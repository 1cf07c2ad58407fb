"""Connections of clients that are slow, endless or speak something else."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest

from shared.web.http_protocol import MAX_HEAD_BYTES, MAX_HEADERS, GuardedProtocol
from tests.support.serving import serving

GET = b"GET / HTTP/1.1\r\nhost: x\r\n"


class Hasty(GuardedProtocol):
    """Waits for a head only as long as a test likes to."""

    head_seconds: ClassVar[float] = 0.3


async def answer_with_what_came(scope: dict, receive, send) -> None:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    told = {"headers": len(scope["headers"]), "body": len(body), "path": scope["path"]}
    content = json.dumps(told).encode()
    length = (b"content-length", str(len(content)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": content})


@pytest.fixture(scope="module")
async def port() -> AsyncIterator[int]:
    async with serving(answer_with_what_came, http=Hasty) as url:
        yield int(url.rsplit(":", 1)[1])


class Connection:
    """A client that writes what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def answer(self) -> tuple[int, dict[str, Any]]:
        head = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 30)
        lines = head.decode().lower().split("\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith("content-length:"))
        body = await self._reader.readexactly(length)
        return int(head[9:12]), json.loads(body)

    async def has_ended(self) -> bool:
        return await asyncio.wait_for(self._reader.read(1), 30) == b""


@pytest.fixture
async def connection(port: int) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield Connection(reader, writer)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def is_alive(port: int) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    status, _ = await _send(Connection(reader, writer), GET + b"\r\n")
    writer.close()
    await writer.wait_closed()
    return status == 200


async def _send(connection: Connection, *pieces: bytes) -> tuple[int, dict[str, Any]]:
    await connection.send(*pieces)
    return await connection.answer()


async def test_a_head_that_does_not_end_is_not_waited_for(connection: Connection) -> None:
    await connection.send(GET, b"x-slow: ")
    status, problem = await connection.answer()
    assert (status, problem["code"]) == (408, "request_timeout")
    assert await connection.has_ended()


async def test_one_byte_now_and_then_does_not_help(connection: Connection) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()

    async def drip() -> None:
        for byte in GET + b"x: " + b"y" * 10_000:
            try:
                await connection.send(bytes([byte]))
            except ConnectionError:
                return
            await asyncio.sleep(0.01)

    dripping = asyncio.create_task(drip())
    status, _ = await connection.answer()
    assert status == 408
    assert loop.time() - started < 5
    dripping.cancel()


async def test_who_only_connects_is_let_go_without_a_word(connection: Connection) -> None:
    assert await connection.has_ended()


async def test_a_second_request_has_its_own_time(connection: Connection) -> None:
    for _ in range(3):
        status, _ = await _send(connection, GET + b"\r\n")
        assert status == 200
    await connection.send(GET)
    status, _ = await connection.answer()
    assert status == 408


async def test_a_body_is_not_hurried_by_the_time_for_the_head(connection: Connection) -> None:
    await connection.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n", b"ab")
    await asyncio.sleep(2 * Hasty.head_seconds)
    status, told = await _send(connection, b"cd")
    assert (status, told["body"]) == (200, 4)


@pytest.mark.parametrize(
    "head",
    [
        GET + b"x: " + b"y" * (MAX_HEAD_BYTES + 1) + b"\r\n\r\n",
        GET + b"x: y\r\n" * (MAX_HEADERS + 1) + b"\r\n",
    ],
    ids=["long header", "many headers"],
)
async def test_a_head_has_a_bound(port: int, connection: Connection, head: bytes) -> None:
    status, problem = await _send(connection, head)
    assert (status, problem["code"]) == (431, "headers_too_large")
    assert await connection.has_ended()
    assert await is_alive(port)


@pytest.mark.parametrize(
    "head",
    [
        GET + b"x: " + b"y" * 10_000_000,
        b"GET /" + b"y" * 10_000_000,
        GET + b"".join(b"x%d: y\r\n" % n for n in range(500_000)),
    ],
    ids=["header", "path", "headers"],
)
async def test_who_never_ends_is_cut_off(port: int, connection: Connection, head: bytes) -> None:
    pieces = (head[at : at + 8192] for at in range(0, len(head), 8192))
    with pytest.raises(ConnectionError):
        await connection.send(*pieces)
    assert await is_alive(port)


async def test_trailers_are_neither_headers_nor_endless(port: int, connection: Connection) -> None:
    chunked = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
    status, told = await _send(connection, chunked + b"authorization: Bearer x\r\n\r\n")
    assert (status, told["headers"], told["body"]) == (200, 2, 1)
    sending = asyncio.create_task(connection.send(chunked + b"x: ", *([b"y" * 8192] * 1000)))
    outcome = await asyncio.gather(sending, return_exceptions=True)
    assert isinstance(outcome[0], ConnectionError)
    assert await is_alive(port)


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"FETCH / HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost x\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nx\x00y: z\r\n\r\n",
        b"\r\n\r\n\r\nHELO x\r\n",
    ],
)
async def test_what_is_no_http_is_told_so(
    port: int, connection: Connection, nonsense: bytes
) -> None:
    status, problem = await _send(connection, nonsense)
    assert (status, problem["code"]) == (400, "bad_request")
    assert await connection.has_ended()
    assert await is_alive(port)


async def test_a_body_that_is_no_http_ends_the_connection(
    port: int, connection: Connection
) -> None:
    await connection.send(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n")
    assert await connection.has_ended()
    assert await is_alive(port)
