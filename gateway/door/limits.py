"""What a request may weigh and be made of, decided before anybody parses it."""

import asyncio
import re
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.types import Message, Receive, Scope

from gateway.errors import (
    BodyTooSlow,
    MethodNotAllowed,
    TargetTooLong,
    UnsupportedMediaType,
)
from shared.errors import FieldError, Invalid, NotFound, TooLarge
from shared.web.middleware import header

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
MAX_TARGET_BYTES: Final = 8 * 1024
_WRITES: Final = frozenset({"POST", "PUT", "PATCH"})
_UPLOADS: Final = re.compile(r"/v1/imports/[^/]+/file")
_BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})


def check_target(scope: Scope) -> None:
    """Whether method, path and query are such as somebody here could answer.

    A text in it that is not UTF-8, or holds a NUL, names nothing in the path (NotFound) and asks
    for nothing in the query (Invalid). Raises MethodNotAllowed and TargetTooLong, too.
    """
    if scope["method"] not in METHODS:
        raise MethodNotAllowed(headers={"Allow": ", ".join(sorted(METHODS))})
    path: bytes = scope.get("raw_path") or b""
    query: bytes = scope["query_string"]
    if len(path) + len(query) > MAX_TARGET_BYTES:
        raise TargetTooLong(extensions={"max_bytes": MAX_TARGET_BYTES})
    if (b"%" in path or not path.isascii()) and _text_fault(path) is not None:
        raise NotFound("There is nothing at this path")
    if b"%" in query or not query.isascii():
        fault = _text_fault(query)
        if fault is not None:
            code, detail = fault
            raise Invalid(detail, errors=[FieldError("/query", code, detail)])


def _text_fault(encoded: bytes) -> tuple[str, str] | None:
    text = unquote_to_bytes(encoded)
    try:
        text.decode()
    except UnicodeDecodeError:
        return "text_not_unicode", "Percent-encode UTF-8"
    if b"\0" in text:
        return "text_control_character", "Leave out the character U+0000"
    return None


async def bounded(
    scope: Scope, receive: Receive, limit: int, *, seconds: float | None = None
) -> Receive:
    """The request's body, known to be no larger than `limit` bytes. Raises TooLarge.

    A body of stated length passes as it comes. One that comes in chunks is collected first, and
    from then on has a stated length too. What has not arrived whole after `seconds` raises
    BodyTooSlow where it is read.
    """
    stated = header(scope, b"content-length")
    if header(scope, b"transfer-encoding") is None:
        if stated is not None and stated.isdigit():
            if int(stated) > limit:
                raise _too_large(limit)
            return _Timed(receive, seconds) if seconds and stated != b"0" else receive
        if scope["method"] in _BODILESS:
            return receive
    body = await _collect(_Timed(receive, seconds) if seconds else receive, limit)
    kept = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
    if body:
        kept.append((b"content-length", b"%d" % len(body)))
    scope["headers"] = kept
    return _Replay(body, receive)


def is_upload(scope: Scope) -> bool:
    """Whether the body is a file, or a part of one: larger than others, and of any type."""
    return scope["method"] == "PUT" and _UPLOADS.fullmatch(scope["path"]) is not None


def check_json(scope: Scope) -> None:
    """Raises UnsupportedMediaType when a write has a body that does not claim to be JSON.

    Where files are put there is nothing else to write: other methods are refused for what they are.
    """
    if scope["method"] not in _WRITES or _UPLOADS.fullmatch(scope["path"]):
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


class _Timed:
    """A body that has to arrive whole within some seconds."""

    def __init__(self, receive: Receive, seconds: float) -> None:
        self._receive = receive
        self._until = asyncio.get_running_loop().time() + seconds
        self._is_whole = False

    async def __call__(self) -> Message:
        if self._is_whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError as error:
            raise BodyTooSlow from error
        self._is_whole = not message.get("more_body", False)
        return message


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
