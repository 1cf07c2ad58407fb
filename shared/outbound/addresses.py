"""Which network addresses are the public internet's, and which somebody means to keep inside.

Sources: the IANA special-purpose address registries (RFC 6890, as the standard library has them),
multicast, and the addresses where clouds keep their metadata although no registry lists them.
"""

from collections.abc import Iterator
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# RFC 6052: an IPv6-only host reaches IPv4 through these; RFC 8215 is for use inside a network.
_NAT64: Final = IPv6Network("64:ff9b::/96")
_NAT64_LOCAL: Final = IPv6Network("64:ff9b:1::/48")
# Azure answers its guests at the first, an address that looks like any other, Oracle at one of the
# second, of which not every version of the standard library thinks alike.
_METADATA: Final = (IPv4Network("168.63.129.16/32"), IPv4Network("192.0.0.0/24"))
_NOT_PUBLIC: Final[tuple[Network, ...]] = (
    *_METADATA,
    # RFC 6598, shared by the customers of a provider; RFC 7526, a relay nobody runs any more.
    IPv4Network("100.64.0.0/10"),
    IPv4Network("192.88.99.0/24"),
    _NAT64_LOCAL,
)


def parse_address(text: str) -> Address | None:
    """The address that a text is; None for a name. A scope (`%eth0`) is part of no public one."""
    try:
        return ip_address(text.strip("[]"))
    except ValueError:
        return None


def parse_network(text: str) -> Network | None:
    """The network that a text is, a single address being one too; None for a name."""
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Whether anybody on the internet may be reached there, in whatever way it is written.

    An IPv4 address inside an IPv6 one (mapped, NAT64, 6to4, Teredo) is judged as what it is.
    """
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if isinstance(address, IPv6Address) and address in _NAT64:
        return all(map(is_public, _embedded(address)))
    plain = (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not (isinstance(address, IPv6Address) and (address.is_site_local or address.scope_id))
        and not any(_contains(network, address) for network in _NOT_PUBLIC)
    )
    return plain and all(map(is_public, _embedded(address)))


def _embedded(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that packets to an IPv6 one may end at."""
    if isinstance(address, IPv4Address):
        return
    if address in _NAT64:
        yield IPv4Address(int(address) & 0xFFFFFFFF)
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo


def _contains(network: Network, address: Address) -> bool:
    return network.version == address.version and address in network


def within(networks: tuple[Network, ...], address: Address) -> bool:
    """Whether an address is in one of the networks; a mapped IPv4 address counts as itself."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(_contains(network, address) for network in networks)
