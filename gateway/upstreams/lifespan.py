"""The start-up and shut-down of an application, by the ASGI lifespan protocol."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message


@asynccontextmanager
async def running_lifespan(app: ASGIApp) -> AsyncIterator[None]:
    """Start `app`, and shut it down at the end. Raises RuntimeError when it cannot start."""
    inbox: asyncio.Queue[Message] = asyncio.Queue()
    outbox: asyncio.Queue[Message] = asyncio.Queue()
    scope: dict[str, Any] = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    task = asyncio.create_task(_drive(app, scope, inbox, outbox))
    try:
        await inbox.put({"type": "lifespan.startup"})
        _check(await outbox.get(), "lifespan.startup")
        yield
        await inbox.put({"type": "lifespan.shutdown"})
        _check(await outbox.get(), "lifespan.shutdown")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _drive(
    app: ASGIApp,
    scope: dict[str, Any],
    inbox: asyncio.Queue[Message],
    outbox: asyncio.Queue[Message],
) -> None:
    try:
        await app(scope, inbox.get, outbox.put)
    finally:
        # For an application that ended without an answer.
        await outbox.put({"type": "lifespan.ended"})


def _check(answer: Message, step: str) -> None:
    if answer["type"] != f"{step}.complete":
        raise RuntimeError(f"{step} failed: {answer.get('message') or answer['type']}")
