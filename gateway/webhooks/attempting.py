"""One request to a receiver, and what came of it. Nothing raises: every end is an answer."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import aiohttp

from gateway.webhooks.schedule import retry_after
from shared.clock import Clock
from shared.outbound.guard import OutboundRefused
from shared.outbound.web import GuardedHttp

TIMEOUT_SECONDS: Final = 15.0
_BODY_BYTES: Final = 4096
_BODY_SECONDS: Final = 2.0
_MOST_HEADERS: Final = 40
_MOST_HEADER: Final = 256
_MOST_DETAIL: Final = 300
# The narrowest class first.
_ERRORS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (TimeoutError, "timeout"),
    (aiohttp.ClientConnectorDNSError, "host_not_found"),
    (aiohttp.ClientSSLError, "tls_failed"),
    (aiohttp.ClientConnectorError, "connection_failed"),
    (aiohttp.ClientOSError, "connection_lost"),
    (aiohttp.ServerDisconnectedError, "connection_lost"),
    (aiohttp.ClientError, "answer_not_understood"),
    (OSError, "connection_failed"),
    (ValueError, "request_not_possible"),
)
_CAUGHT: Final = tuple(kind for kind, _ in _ERRORS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a request ended; without a `status` there was no answer, and `error` says why."""

    started_at: datetime
    duration_ms: int
    status: int | None = None
    headers: Mapping[str, str] | None = None
    body: str | None = None
    asked_to_wait: timedelta | None = None
    error: str | None = None
    detail: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the receiver took it: any 2xx, nothing else."""
        return self.status is not None and 200 <= self.status < 300


class Attempts:
    """Sends requests; one per process."""

    def __init__(
        self, *, http: GuardedHttp, clock: Clock, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self._http = http
        self._clock = clock
        self._timeout_seconds = timeout_seconds

    async def make(self, url: str, *, body: bytes, headers: dict[str, str]) -> Answer:
        """Send `body` and wait for the answer, for a limited time."""
        started_at, started = self._clock.now(), time.monotonic()
        try:
            response = await self._http.post(
                url, body=body, headers=headers, seconds=self._timeout_seconds
            )
        except OutboundRefused as error:
            return _failed(started_at, started, error.code, error)
        except _CAUGHT as error:
            code = next(code for kind, code in _ERRORS if isinstance(error, kind))
            return _failed(started_at, started, code, error)
        try:
            text = await _beginning(response)
            return Answer(
                started_at=started_at,
                duration_ms=_milliseconds_since(started),
                status=response.status,
                headers=_shown(response.headers),
                body=text,
                asked_to_wait=retry_after(
                    response.headers.get("Retry-After"), now=self._clock.now()
                ),
                error=None if 200 <= response.status < 300 else f"http_{response.status}",
            )
        finally:
            if response.content.at_eof():
                response.release()
            else:
                response.close()


async def _beginning(response: aiohttp.ClientResponse) -> str:
    """The first bytes of the body, as far as they come soon: the status has said what matters."""
    read = bytearray()
    deadline = time.monotonic() + _BODY_SECONDS
    while len(read) < _BODY_BYTES and not response.content.at_eof():
        try:
            remaining = max(0.0, deadline - time.monotonic())
            chunk = await _within(response, _BODY_BYTES - len(read), remaining)
        except (aiohttp.ClientError, TimeoutError, OSError):
            break
        if not chunk:
            break
        read += chunk
    return _storable(read.decode(errors="replace"))


async def _within(response: aiohttp.ClientResponse, count: int, seconds: float) -> bytes:
    async with asyncio.timeout(seconds):
        return await response.content.read(count)


def _shown(headers: Mapping[str, str]) -> dict[str, str]:
    shown = list(headers.items())[:_MOST_HEADERS]
    return {
        _storable(name)[:_MOST_HEADER]: _storable(value)[:_MOST_HEADER] for name, value in shown
    }


def _failed(started_at: datetime, started: float, code: str, error: BaseException) -> Answer:
    return Answer(
        started_at=started_at,
        duration_ms=_milliseconds_since(started),
        error=code,
        detail=_storable(str(error) or type(error).__name__)[:_MOST_DETAIL],
    )


def _storable(text: str) -> str:
    """What PostgreSQL keeps: no NUL, no half surrogates (headers come as bytes in disguise)."""
    return text.encode(errors="replace").decode().replace("\x00", "")


def _milliseconds_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
