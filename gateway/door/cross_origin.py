"""Browsers of other origins (CORS): only publishable keys are for them.

A preflight carries no credential, so nothing can be decided by it: it is answered for whatever
origin asks, and the request that follows is refused unless its key is for that origin. What has
any other credential is answered without a word on CORS, so that no page of another origin can read
it. Cookies and the like play no part: credentials are never allowed.
"""

from http import HTTPStatus
from typing import Final

from starlette.responses import Response
from starlette.types import Scope

from gateway.access.identity import Identity
from shared.errors import Forbidden
from shared.web.middleware import header

RawHeaders = list[tuple[bytes, bytes]]

_METHODS: Final = "GET, POST"
_REQUEST_HEADERS: Final = "Authorization, Content-Type, Idempotency-Key, X-Request-ID"
_EXPOSED: Final = (
    b"Location, ETag, Retry-After, RateLimit, RateLimit-Policy, X-Request-ID, Idempotent-Replayed"
)
_REMEMBER_SECONDS: Final = 600


class OriginNotAllowed(Forbidden):
    """A publishable key is used from a page that it was not made for."""

    code = "origin_not_allowed"
    title = "This key may not be used from this origin"


def is_preflight(scope: Scope) -> bool:
    """Whether a browser asks if it may send a request."""
    return (
        scope["method"] == "OPTIONS"
        and header(scope, b"origin") is not None
        and header(scope, b"access-control-request-method") is not None
    )


def preflight_answer(scope: Scope) -> Response:
    """What a browser may send from another origin, if it has a key for it."""
    origin = (header(scope, b"origin") or b"").decode("latin-1")
    return Response(
        status_code=HTTPStatus.NO_CONTENT,
        headers={
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": _REQUEST_HEADERS,
            "Access-Control-Max-Age": str(_REMEMBER_SECONDS),
            "Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
        },
    )


def cross_origin_headers(caller: Identity, scope: Scope) -> RawHeaders:
    """What lets a page read the answer: for publishable keys. Raises OriginNotAllowed."""
    if not caller.is_published:
        return []
    origin = header(scope, b"origin")
    if origin is None or origin.decode("latin-1") not in caller.origins:
        raise OriginNotAllowed
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", _EXPOSED),
        (b"vary", b"Origin"),
    ]
