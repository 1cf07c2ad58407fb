"""Where this house may connect to on somebody else's word (server-side request forgery, CWE-918).

A shop names the hosts that its webhooks and mail go to. Without a guard it could name ours: the
database on loopback, the cloud's metadata service, a neighbour in the private network. So a name
is resolved here, every address it has must be public, and what is connected to is one of the
addresses that were checked: a name that answers differently the next time gains nothing.
"""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from yarl import URL

from shared.outbound.addresses import (
    Address,
    Network,
    is_public,
    parse_address,
    parse_network,
    within,
)
from shared.outbound.resolving import Resolve, resolve_by_system

WEB_PORTS: Final = frozenset({443}) | frozenset(range(1024, 65536)) - frozenset(
    # Not spoken HTTP to by browsers either (WHATWG Fetch, "bad port"), and the usual databases.
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 10080, 6697}
    | set(range(6665, 6670))
    | {1433, 1521, 2375, 2379, 2380, 3306, 5432, 5672, 6379, 9042, 9092, 9200, 9300, 11211, 27017}
)
MAIL_PORTS: Final = frozenset({25, 465, 587, 2465, 2525, 2587})


class OutboundRefused(Exception):
    """A target that must not be connected to. `code` is stable, `detail` is for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class HostUnknown(OutboundRefused):
    """A name without an address, for the time being."""

    def __init__(self, host: str) -> None:
        super().__init__("host_not_found", f"The name {host} has no address")


@dataclass(frozen=True, slots=True)
class AllowList:
    """What the operator lets pass although the guard would not: networks, and hosts by name.

    For these any port will do, and plain HTTP.
    """

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Self:
        """The list written as `10.1.0.0/16, mail.internal`. Raises ValueError."""
        networks: list[Network] = []
        hosts: set[str] = set()
        for entry in filter(None, (part.strip().lower() for part in text.split(","))):
            network = parse_network(entry)
            if network is not None:
                networks.append(network)
            elif "/" in entry or ":" in entry or " " in entry:
                raise ValueError(f"{entry!r} is neither a network nor a host name")
            else:
                hosts.add(entry)
        return cls(tuple(networks), frozenset(hosts))


@dataclass(frozen=True, slots=True)
class Target:
    """A host whose addresses were all checked; `trusted` when the operator has listed it."""

    host: str
    port: int
    addresses: Sequence[Address]
    trusted: bool


class OutboundGuard:
    """Decides what may be connected to, and connects."""

    def __init__(self, allow: AllowList, *, resolve: Resolve = resolve_by_system) -> None:
        self._allow = allow
        self._resolve = resolve

    async def check_url(self, url: str) -> Target:
        """The target of an HTTP request. Raises OutboundRefused."""
        read = read_url(url)
        target = await self._find(read.raw_host or "", read.port or 0)
        if target.trusted:
            return target
        if read.scheme != "https":
            raise OutboundRefused("https_required", "Only https:// is allowed")
        _check_port(target.port, WEB_PORTS)
        return target

    async def check_host(self, host: str, port: int, *, ports: frozenset[int]) -> Target:
        """The target of another protocol, on one of its `ports`. Raises OutboundRefused."""
        target = await self._find(host, port)
        if not target.trusted:
            _check_port(port, ports)
        return target

    async def connect(self, host: str, port: int, *, ports: frozenset[int]) -> socket.socket:
        """A connection to an address that was checked. Raises OutboundRefused, OSError."""
        target = await self.check_host(host, port, ports=ports)
        failure: OSError | None = None
        for address in target.addresses:
            try:
                return await _connect(address, port)
            except OSError as error:
                failure = error
        raise failure or HostUnknown(host)

    async def _find(self, host: str, port: int) -> Target:
        name = host.rstrip(".").lower()
        literal = parse_address(name)
        addresses = [literal] if literal is not None else await self._look_up(name)
        if name in self._allow.hosts:
            return Target(host, port, addresses, trusted=True)
        if all(within(self._allow.networks, address) for address in addresses):
            return Target(host, port, addresses, trusted=True)
        for address in addresses:
            # One address inside is enough to refuse: nobody honest has both kinds.
            if not is_public(address) and not within(self._allow.networks, address):
                raise OutboundRefused("address_not_allowed", "The host is not on the internet")
        return Target(host, port, addresses, trusted=False)

    async def _look_up(self, host: str) -> Sequence[Address]:
        try:
            addresses = await self._resolve(host)
        except (OSError, TimeoutError) as error:
            raise HostUnknown(host) from error
        if not addresses:
            raise HostUnknown(host)
        return addresses


def read_url(text: str) -> URL:
    """The URL in a text, read as the HTTP client reads it. Raises OutboundRefused."""
    try:
        url = URL(text)
        host, port = url.raw_host, url.port
    except ValueError as error:
        raise OutboundRefused("url_not_valid", "This is not a URL") from error
    if url.scheme not in ("http", "https") or not host or not port:
        raise OutboundRefused("url_not_valid", "An absolute https:// URL is needed")
    if url.raw_user is not None or url.raw_password is not None:
        raise OutboundRefused("credentials_in_url", "Credentials do not belong into a URL")
    if url.raw_fragment:
        raise OutboundRefused("url_not_valid", "A fragment is never sent")
    return url


def _check_port(port: int, ports: frozenset[int]) -> None:
    if port not in ports:
        raise OutboundRefused("port_not_allowed", f"Port {port} is not allowed")


async def _connect(address: Address, port: int) -> socket.socket:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    connection = socket.socket(family, socket.SOCK_STREAM)
    connection.settimeout(0)
    try:
        await asyncio.get_running_loop().sock_connect(connection, (str(address), port))
    except BaseException:
        connection.close()
        raise
    return connection
