"""A client as good clients are: it repeats what it does not know, with the same key, until told."""

import asyncio
import time
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

import aiohttp
import orjson

from tests.faults.truth import Asked, Truth

# The house was busy or broken and says so; anything else below 200 or above 299 is a surprise.
_AGAIN: Final = frozenset({429, 502, 503, 504})
_SECONDS: Final = 10
_SLOW_SECONDS: Final = 5
_ABANDONED: Final = 0.03
_DOUBLED: Final = 0.05


class Client:
    """Sends writes over one pool of connections and writes down what becomes of them."""

    def __init__(self, base_url: str, truth: Truth) -> None:
        self._base_url = base_url
        self._truth = truth
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=_SECONDS),
            connector=aiohttp.TCPConnector(limit=0),
        )

    async def close(self) -> None:
        """Close the pool."""
        await self._session.close()

    async def insist(self, ask: Asked, dice: Random, *, may_abandon: bool = True) -> None:
        """Ask until there is an answer; a few clients give up, a few ask twice at once."""
        self._truth.asked.append(ask)
        ask.first_sent = datetime.now(UTC)
        gives_up = may_abandon and dice.random() < _ABANDONED
        doubled = dice.random() < _DOUBLED
        pause = 0.05
        while ask.accepted is None:
            answers = await asyncio.gather(*(self._once(ask) for _ in range(2 if doubled else 1)))
            for status, answer, replayed in answers:
                self._hear(ask, status, answer, replayed=replayed)
            if ask.accepted is None:
                if gives_up:
                    ask.abandoned = True
                    return
                await asyncio.sleep(pause * dice.uniform(0.5, 1.5))
                pause = min(pause * 2, 1)

    async def get(self, path: str, api_key: str) -> tuple[int, Any]:
        """Status (0: none) and body of a GET, tried once."""
        try:
            headers = {"Authorization": f"Bearer {api_key}"}
            async with self._session.get(self._base_url + path, headers=headers) as answer:
                body = await answer.read()
                self._count(answer.status, f"GET {path}", body)
                return answer.status, orjson.loads(body) if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0, None

    async def repeat(self, ask: Asked) -> tuple[int, Any, bool]:
        """The same request once more: status, body, and whether it was a replay."""
        return await self._once(ask)

    async def _once(self, ask: Asked) -> tuple[int, Any, bool]:
        ask.tries += 1
        began = time.monotonic()
        outcome = await self._try(ask)
        if (seconds := time.monotonic() - began) > _SLOW_SECONDS:
            self._truth.note(f"{ask.kind} {ask.path} answered {outcome[0]} after {seconds:.1f} s")
        return outcome

    async def _try(self, ask: Asked) -> tuple[int, Any, bool]:
        try:
            async with self._session.request(
                "PATCH" if ask.kind == "patch" else "POST",
                self._base_url + ask.path,
                data=ask.body,
                headers=ask.headers,
            ) as answer:
                body = await answer.read()
                self._count(answer.status, f"{ask.kind} {ask.path}", body)
                told = orjson.loads(body) if answer.ok else None
                return answer.status, told, "idempotent-replayed" in answer.headers
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._truth.statuses[type(error).__name__] += 1
            return 0, None, False

    def _hear(self, ask: Asked, status: int, answer: Any, *, replayed: bool) -> None:
        if not 200 <= status < 300:
            return
        if ask.accepted is not None and ask.accepted.get("id") != answer.get("id"):
            self._truth.surprises.append(f"{ask.kind} {ask.mark}: two answers, two objects")
        ask.accepted = answer
        ask.replayed = ask.replayed or replayed

    def _count(self, status: int, what: str, body: bytes) -> None:
        self._truth.statuses[str(status)] += 1
        if not 200 <= status < 300 and status not in _AGAIN:
            self._truth.surprises.append(f"{what} answered {status}: {body[:200]!r}")
