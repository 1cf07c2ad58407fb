"""What stands in front of several gateways: spreads connections over those that are ready.

As small as it can be and as careful as those of the trade: it asks `/readyz` again and again, opens
no connection to who is not ready, and lets those that are open live until somebody closes them.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from cli.ports import LOOPBACK

_LOOK_SECONDS: Final = 0.1
_CHUNK: Final = 64 * 1024


class Balancer:
    """Spreads connections over gateways in turn."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = urls
        self._ready: list[str] = []
        self._turn = 0

    async def watch(self) -> None:
        """Ask who is ready, without end."""
        timeout = aiohttp.ClientTimeout(total=1)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                answers = await asyncio.gather(*(_is_ready(session, url) for url in self._urls))
                self._ready = [url for url, ok in zip(self._urls, answers, strict=True) if ok]
                await asyncio.sleep(_LOOK_SECONDS)

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection's bytes both ways until either end has had enough."""
        backend = await self._connect()
        if backend is None:
            writer.close()
            return
        there_reader, there_writer = backend
        await asyncio.gather(_carry(reader, there_writer), _carry(there_reader, writer))

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for _ in range(2 * len(self._urls)):
            if not self._ready:
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            self._turn += 1
            address = urlsplit(self._ready[self._turn % len(self._ready)])
            with contextlib.suppress(OSError):
                return await asyncio.open_connection(address.hostname, address.port)
        return None


async def _is_ready(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/readyz") as answer:
            return answer.ok
    except (aiohttp.ClientError, TimeoutError):
        return False


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()


@asynccontextmanager
async def balancing(urls: Sequence[str], port: int) -> AsyncIterator[None]:
    """A balancer on a port of loopback."""
    balancer = Balancer(urls)
    watching = asyncio.create_task(balancer.watch())
    server = await asyncio.start_server(balancer.pass_on, LOOPBACK, port)
    try:
        yield
    finally:
        server.close()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
