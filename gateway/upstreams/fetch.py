"""Asking a part something on behalf of a caller, and having the whole answer."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.types import Message

from gateway.upstreams.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole answer."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def json(self) -> Any:
        """The body, decoded. Raises ValueError when it is not JSON."""
        return orjson.loads(self.body)


async def fetch(
    upstream: Upstream,
    path: str,
    *,
    headers: Iterable[tuple[bytes, bytes]] = (),
    query: bytes = b"",
    within: Mapping[str, Any] | None = None,
) -> Fetched:
    """The answer to a GET. Raises what the upstream raises when it cannot answer.

    `within` is the request that is being answered, for the gateway's own application behind its
    door: it needs what the rings around it have put there.
    """
    scope: dict[str, Any] = {
        **(within or {}),
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": [(b"host", b"gateway"), *headers],
        "client": None,
        "server": None,
    }
    answer = _Answer()
    await upstream.handle(scope, _Question().send, answer.receive)
    return Fetched(answer.status, answer.headers, b"".join(answer.chunks))


class _Answer:
    def __init__(self) -> None:
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.chunks: list[bytes] = []

    async def receive(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self.chunks.append(message.get("body", b""))


class _Question:
    """A request without a body, by somebody who waits for the answer and does not hang up."""

    def __init__(self) -> None:
        self._told = False

    async def send(self) -> Message:
        if self._told:
            await asyncio.Event().wait()
        self._told = True
        return {"type": "http.request", "body": b"", "more_body": False}
