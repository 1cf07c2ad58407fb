"""What an address is counted as."""

from functools import lru_cache
from typing import Final

from gateway.access.client_address import UNKNOWN, parse_address

# What is routed to one place: the rest of an IPv6 address is the visitor's own to choose.
_IPV6_SITE_BITS: Final = 64


@lru_cache(maxsize=4096)
def site_of(address: str) -> str:
    """The address, of IPv6 the network it is in."""
    parsed = parse_address(address)
    if parsed is None:
        return address or UNKNOWN
    if parsed.version == 4:
        return str(parsed)
    return str(type(parsed)(int(parsed) >> _IPV6_SITE_BITS << _IPV6_SITE_BITS))
