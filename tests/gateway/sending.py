"""A shop with webhook endpoints, and a sender that works when a test says so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

from gateway.webhooks.attempting import Attempts
from gateway.webhooks.letters import Letters
from gateway.webhooks.sender import Sender
from shared.outbound.guard import AllowList, OutboundGuard
from shared.outbound.web import GuardedHttp
from shared.security.keys import SecretBox
from tests.gateway.conftest import Shop


@asynccontextmanager
async def sending(
    gateway: FastAPI, *, timeout_seconds: float = 5, most_queues: int = 100
) -> AsyncIterator[Sender]:
    """The sender of a worker of its own."""
    context = gateway.state.context
    http = GuardedHttp(OutboundGuard(AllowList.parse("127.0.0.1")))
    sender = Sender(
        units=context.units,
        attempts=Attempts(http=http, clock=context.clock, timeout_seconds=timeout_seconds),
        letters=Letters(SecretBox(context.settings.root_key)),
        most_queues=most_queues,
    )
    try:
        yield sender
    finally:
        await sender.close()
        await http.close()


@dataclass(frozen=True)
class Keeper:
    """Who looks after a shop's endpoints, over HTTP."""

    client: httpx.AsyncClient
    shop: Shop

    async def create(self, url: str, **given: Any) -> dict[str, Any]:
        answer = await self.client.post("/v1/webhook-endpoints", json={"url": url, **given})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def get(self, path: str, **query: Any) -> Any:
        path = f"/v1/webhook-endpoints/{path}".rstrip("/")
        answer = await self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, *, status: int = 202, **body: Any) -> Any:
        answer = await self.client.post(f"/v1/webhook-endpoints/{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def deliveries(self, endpoint: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
        return (await self.get(f"{endpoint['id']}/deliveries", **query))["data"]

    async def attempts(self, endpoint: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
        return (await self.get(f"{endpoint['id']}/attempts", **query))["data"]


@asynccontextmanager
async def keeping(shop: Shop) -> AsyncIterator[Keeper]:
    scopes = ("webhooks:read", "webhooks:write", "events:read", "pii:read")
    async with await shop.client(*scopes) as client:
        yield Keeper(client, shop)
