"""Asking a part in this process, on behalf of a caller who waits for the whole answer."""

import asyncio

from starlette.types import Receive, Scope, Send

from gateway.upstreams.fetch import fetch
from gateway.upstreams.upstream import InProcessUpstream


async def test_who_asks_does_not_hang_up_and_says_nothing_more() -> None:
    heard = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        async def listen() -> None:
            while True:
                heard.append(await receive())

        listening = asyncio.create_task(listen())
        _, waiting = await asyncio.wait({listening}, timeout=0.05)
        assert waiting
        listening.cancel()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"fine"})

    async with asyncio.timeout(30):
        answer = await fetch(InProcessUpstream(app), "/v1/anything")
    assert (answer.status, answer.body) == (200, b"fine")
    assert heard == [{"type": "http.request", "body": b"", "more_body": False}]
