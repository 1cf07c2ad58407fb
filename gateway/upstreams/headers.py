"""Which headers pass the gateway, and which end or begin there."""

from collections.abc import Iterator
from typing import Final

from starlette.types import Scope

from shared.observability.tracing import current_trace
from shared.security.principal import PRINCIPAL_HEADER

RawHeaders = list[tuple[bytes, bytes]]

PRINCIPAL: Final = PRINCIPAL_HEADER.encode()

# RFC 9110, 7.6.1: they are about one connection, not about the message.
HOP_BY_HOP: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"te"}
    | {b"trailer", b"transfer-encoding", b"upgrade", b"proxy-connection"}
)
# A caller's credentials end here, and nobody but the gateway says who the caller is.
_STRIPPED: Final = HOP_BY_HOP | {b"authorization", PRINCIPAL}


def passing_headers(headers: RawHeaders) -> RawHeaders:
    """The caller's headers that may pass."""
    return [header for header in headers if header[0] not in _STRIPPED]


def traced_headers(headers: RawHeaders) -> RawHeaders:
    """The headers with the gateway's own span as the parent of what comes next."""
    trace = [(name.encode(), value.encode()) for name, value in current_trace().items()]
    replaced = {name for name, _ in trace}
    return [*(header for header in headers if header[0] not in replaced), *trace]


def forwarded_headers(scope: Scope) -> Iterator[tuple[str, str]]:
    """The headers of a scope as an HTTP client sends them."""
    for name, value in scope["headers"]:
        if name != b"host":
            yield name.decode("latin-1"), value.decode("latin-1")
