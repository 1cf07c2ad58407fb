"""Asking a platform for what its deliveries only name, over its stores' REST API."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import aiohttp

from gateway.platforms.wanted import Part, StoreDoor, Wanted
from gateway.webhooks.schedule import retry_after
from shared.clock import Clock
from shared.outbound.guard import OutboundRefused
from shared.outbound.web import GuardedHttp

_SECONDS: Final = 10.0
_MAX_BYTES: Final = 8 * 1024 * 1024
_PAGE: Final = 250
_MOST_PAGES: Final = 4
_OK, _NO_CONTENT, _NOT_FOUND = 200, 204, 404
_RESET_HEADER: Final = "X-Rate-Limit-Time-Reset-Ms"


class StoreNotAsked(Exception):
    """The store did not answer as it should; `wait` when it said for how long to leave it alone."""

    def __init__(self, reason: str, *, wait: timedelta | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait


class StoreApi:
    """Asks the stores of one platform."""

    def __init__(self, *, http: GuardedHttp, url: str, clock: Clock) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._clock = clock

    async def fetch(self, door: StoreDoor, wanted: Wanted) -> bytes:
        """The object with its parts, as JSON; null for what is gone. Raises StoreNotAsked."""
        found: dict[str, Any] = {}
        for name, part in wanted.parts.items():
            found[name] = await self._part(door, part)
            if part.essential and not found[name]:
                break
        content = json.dumps(found, default=_as_text).encode()
        if len(content) > _MAX_BYTES:
            raise StoreNotAsked("answer_too_large")
        return content

    async def _part(self, door: StoreDoor, part: Part) -> Any:
        if not part.paged:
            return await self._ask(door, part.path)
        read: list[Any] = []
        for number in range(1, _MOST_PAGES + 1):
            and_ = "&" if "?" in part.path else "?"
            page = await self._ask(door, f"{part.path}{and_}limit={_PAGE}&page={number}")
            read += page if isinstance(page, list) else []
            if not isinstance(page, list) or len(page) < _PAGE:
                break
        return read

    async def _ask(self, door: StoreDoor, path: str) -> Any:
        """What is at a path, without the envelope of newer APIs; None when there is nothing."""
        async with self._answer(f"{self._url}{door.path}{path}", door.headers) as answer:
            if answer.status in (_NO_CONTENT, _NOT_FOUND):
                return None
            if answer.status != _OK:
                raise StoreNotAsked(f"http_{answer.status}", wait=self._asked_to_wait(answer))
            body = await _all_of(answer)
        try:
            told = json.loads(body, parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            raise StoreNotAsked("answer_not_understood") from error
        return told["data"] if isinstance(told, dict) and "data" in told else told

    @asynccontextmanager
    async def _answer(
        self, url: str, headers: Mapping[str, str]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            answer = await self._http.get(url, headers=headers, seconds=_SECONDS)
            try:
                yield answer
            finally:
                if answer.content.at_eof():
                    answer.release()
                else:
                    answer.close()
        except OutboundRefused as error:
            raise StoreNotAsked(error.code) from error
        except TimeoutError as error:
            raise StoreNotAsked("timeout") from error
        except (aiohttp.ClientError, OSError) as error:
            raise StoreNotAsked("connection_failed") from error

    def _asked_to_wait(self, answer: aiohttp.ClientResponse) -> timedelta | None:
        reset = answer.headers.get(_RESET_HEADER, "")
        if reset.isascii() and reset.isdecimal() and len(reset) <= len("86400000"):
            return timedelta(milliseconds=int(reset))
        return retry_after(answer.headers.get("Retry-After"), now=self._clock.now())


async def _all_of(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > _MAX_BYTES:
            raise StoreNotAsked("answer_too_large")
    return bytes(body)


def _as_text(value: object) -> str:
    """Decimals stay exact: readers take text for amounts."""
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value).__name__)
