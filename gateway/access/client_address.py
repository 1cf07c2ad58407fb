"""Where a request comes from, when some of those it came through are believed.

Whoever connects can write any header, so a header counts only when the connection comes from a
proxy of ours, and only as far back as the addresses in it are proxies of ours too.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from starlette.types import Scope

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
UNKNOWN: Final = ""

_MOST_HOPS: Final = 32


class ForwardedHeader(StrEnum):
    """The header in which the proxies say for whom they ask.

    Only one is believed: a proxy that writes the one lets a caller's own copy of the other pass.
    """

    X_FORWARDED_FOR = "x-forwarded-for"
    FORWARDED = "forwarded"


class ClientAddresses:
    """Tells whose address a request has; addresses of proxies in `trusted` are looked behind."""

    def __init__(
        self,
        trusted: Sequence[Network] = (),
        *,
        header: ForwardedHeader = ForwardedHeader.X_FORWARDED_FOR,
    ) -> None:
        self._trusted = tuple(trusted)
        self._header = header.value.encode()
        self._hops = _from_forwarded if header is ForwardedHeader.FORWARDED else _from_list

    def of(self, scope: Scope) -> str:
        """The client's address in its canonical form, or UNKNOWN.

        It is the right-most address that is not a trusted proxy's. An entry that is no address
        (`unknown`, `_hidden`) ends the search at the proxy that wrote it: what stands further to
        the left is anybody's word.
        """
        client = scope.get("client")
        nearest = parse_address(client[0]) if client else None
        if nearest is None:
            return UNKNOWN
        if not self._trusted or not self._is_trusted(nearest):
            return str(nearest)
        values = [value for name, value in scope["headers"] if name == self._header]
        if not values:
            return str(nearest)
        for text in self._hops(b",".join(values).decode("latin-1")):
            hop = parse_address(text)
            if hop is None:
                break
            nearest = hop
            if not self._is_trusted(hop):
                break
        return str(nearest)

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


@lru_cache(maxsize=4096)
def parse_address(text: str) -> Address | None:
    """The address a text is, without port, brackets and zone; None when it is none.

    An IPv4 address written as IPv6 (`::ffff:1.2.3.4`) is an IPv4 address.
    """
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _from_list(value: str) -> Iterator[str]:
    """`X-Forwarded-For: client, proxy1, proxy2`, the nearest first."""
    for entry in reversed(value.rsplit(",", _MOST_HOPS)[-_MOST_HOPS:]):
        yield entry.strip()


def _from_forwarded(value: str) -> Iterator[str]:
    """`Forwarded: for=client;proto=https, for="[2001:db8::1]:4711"` (RFC 7239), nearest first."""
    for element in reversed(value.rsplit(",", _MOST_HOPS)[-_MOST_HOPS:]):
        pairs = (pair.partition("=") for pair in element.split(";"))
        yield next((text for name, _, text in pairs if name.strip().lower() == "for"), "")
