"""What a request may weigh and be made of, decided before anybody parses it."""

from typing import Final

from starlette.types import Message, Receive, Scope

from gateway.errors import UnsupportedMediaType
from shared.errors import TooLarge
from shared.web.middleware import header

_WRITES: Final = frozenset({"POST", "PUT", "PATCH"})
_BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})


async def bounded(scope: Scope, receive: Receive, limit: int) -> Receive:
    """The request's body, known to be no larger than `limit` bytes. Raises TooLarge.

    A body of stated length passes untouched. One that comes in chunks is collected first, and
    from then on has a stated length too.
    """
    stated = header(scope, b"content-length")
    if header(scope, b"transfer-encoding") is None:
        if stated is not None and stated.isdigit():
            if int(stated) > limit:
                raise _too_large(limit)
            return receive
        if scope["method"] in _BODILESS:
            return receive
    body = await _collect(receive, limit)
    kept = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
    if body:
        kept.append((b"content-length", b"%d" % len(body)))
    scope["headers"] = kept
    return _Replay(body, receive)


def check_json(scope: Scope) -> None:
    """Raises UnsupportedMediaType when a write has a body that does not claim to be JSON."""
    if scope["method"] not in _WRITES:
        return
    stated = header(scope, b"content-length")
    chunked = header(scope, b"transfer-encoding") is not None
    if not chunked and (stated is None or stated == b"0"):
        return
    media_type = (header(scope, b"content-type") or b"").partition(b";")[0].strip().lower()
    if media_type != b"application/json" and not (
        media_type.startswith(b"application/") and media_type.endswith(b"+json")
    ):
        raise UnsupportedMediaType


async def _collect(receive: Receive, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"At most {limit} bytes", extensions={"max_bytes": limit})


class _Replay:
    """Gives a collected body once, and then whatever comes after it."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}
