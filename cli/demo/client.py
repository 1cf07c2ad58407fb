"""A caller of the public API, as the demo and the end-to-end test use it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx

from cli.demo.narration import StoryFailed

T = TypeVar("T")
Json = dict[str, Any]
_FIRST_PAUSE = 0.005
_LONGEST_PAUSE = 0.1


class Api:
    """Calls the gateway with one credential and expects it to say yes."""

    def __init__(self, http: httpx.AsyncClient, token: str | None = None) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def get(self, path: str, **query: str | int) -> Json:
        """The JSON of a GET."""
        return await self._call("GET", path, params=query)

    async def post(self, path: str, body: Json | None = None) -> Json:
        """The JSON of a POST."""
        return await self._call("POST", path, json=body)

    async def _call(self, method: str, path: str, **options: Any) -> Json:
        answer = await self._http.request(method, path, headers=self._headers, **options)
        if not answer.is_success:
            raise StoryFailed(f"{method} {path} answered {answer.status_code}: {answer.text[:500]}")
        found: Json = answer.json()
        return found


async def until(
    look: Callable[[], Awaitable[T]],
    accept: Callable[[T], object],
    *,
    what: str,
    seconds: float = 15,
) -> T:
    """What `look` sees once `accept` is content; a refusal meanwhile means "not yet".

    Raises StoryFailed after `seconds`.
    """
    deadline = time.monotonic() + seconds
    pause = _FIRST_PAUSE
    while True:
        last: object
        try:
            seen = await look()
        except StoryFailed as refusal:
            last = refusal
        else:
            if accept(seen):
                return seen
            last = seen
        if time.monotonic() > deadline:
            raise StoryFailed(f"{what}: not within {seconds:.0f} s; last seen: {str(last)[:500]}")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def check(truth: object, what: str) -> None:
    """Raises StoryFailed unless it is so."""
    if not truth:
        raise StoryFailed(what)
