"""An HTTP client that connects only to what the guard has checked."""

import socket
from collections.abc import Mapping
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from shared.outbound.addresses import parse_address
from shared.outbound.guard import OutboundGuard, OutboundRefused, read_url

_KEEP_ALIVE_SECONDS: Final = 20


class GuardedResolver(AbstractResolver):
    """Gives a connector the addresses that the guard has checked, and no others."""

    def __init__(self, guard: OutboundGuard) -> None:
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a host. Raises OSError when it is refused."""
        del family
        try:
            target = await self._guard.check_host(host, port, ports=frozenset({port}))
        except OutboundRefused as error:
            raise RefusedAddress(error) from error
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in target.addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""


class RefusedAddress(OSError):
    """A refusal as a connector expects trouble to come; `refusal` is what the guard said."""

    def __init__(self, refusal: OutboundRefused) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


class GuardedHttp:
    """One pool of connections to other people's servers. Follows no redirect."""

    def __init__(self, guard: OutboundGuard) -> None:
        self._guard = guard
        self._session: aiohttp.ClientSession | None = None

    async def post(
        self, url: str, *, body: bytes, headers: dict[str, str], seconds: float
    ) -> aiohttp.ClientResponse:
        """Send `body`; the caller releases the response, whose body is still to be read.

        Raises OutboundRefused, aiohttp.ClientError, TimeoutError.
        """
        return await self._ask("POST", url, body=body, headers=headers, seconds=seconds)

    async def get(
        self, url: str, *, headers: Mapping[str, str], seconds: float
    ) -> aiohttp.ClientResponse:
        """Ask for something; the caller releases the response, whose body is still to be read.

        Raises OutboundRefused, aiohttp.ClientError, TimeoutError.
        """
        return await self._ask("GET", url, body=None, headers=headers, seconds=seconds)

    async def _ask(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None,
        headers: Mapping[str, str],
        seconds: float,
    ) -> aiohttp.ClientResponse:
        target = read_url(url)
        if target.scheme == "http" or parse_address(target.raw_host or "") is not None:
            # What a connector would not ask the resolver about.
            await self._guard.check_url(url)
        try:
            return await self._opened().request(
                method,
                target,
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds),
            )
        except aiohttp.ClientConnectorDNSError as error:
            if isinstance(error.os_error, RefusedAddress):
                raise error.os_error.refusal from error
            raise

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=GuardedResolver(self._guard),
                    limit=0,
                    keepalive_timeout=_KEEP_ALIVE_SECONDS,
                    ttl_dns_cache=10,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("Accept", "Accept-Encoding"),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session
