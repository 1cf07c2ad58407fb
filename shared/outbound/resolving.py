"""Looking names up, in threads of its own: a name server that is away must hold up nobody else."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from shared.outbound.addresses import Address, parse_address

Resolve = Callable[[str], Awaitable[Sequence[Address]]]
"""The addresses of a host name. Raises OSError when it has none, or nobody can tell in time."""

_SECONDS: Final = 5.0
_THREADS: Final = 64
_threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="resolve")


async def resolve_by_system(host: str) -> Sequence[Address]:
    """The addresses that this machine knows for a name. Raises OSError."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(_SECONDS):
        found = await loop.run_in_executor(_threads, _look_up, host)
    addresses = [parse_address(text) for text in found]
    return list(dict.fromkeys(address for address in addresses if address is not None))


def _look_up(host: str) -> list[str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{host} is no host name") from error
    return [str(entry[4][0]) for entry in found]
