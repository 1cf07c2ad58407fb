"""Stores of BigCommerce as real servers on loopback, and a fetcher that asks them."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from fastapi import FastAPI

from gateway.deliveries.fetching import DeliveryFetcher
from gateway.deliveries.tasks import DeliveryReader
from gateway.platforms.platform import Platform
from gateway.platforms.store_api import StoreApi
from shared.outbound.guard import AllowList, OutboundGuard
from shared.outbound.web import GuardedHttp
from shared.security.keys import SecretBox

STORE, TOKEN = "wvoblpcekx", "store-api-token"


@dataclass
class Store:
    """What a store answers at which path, to who has its token; anything else is not there."""

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path_qs.removeprefix(f"/stores/{STORE}")
        self.asked.append(path)
        if self.status != 200:
            return web.Response(status=self.status, headers=self.headers)
        if request.headers.get("X-Auth-Token") != TOKEN or path == request.path_qs:
            return web.Response(status=401)
        plain, _, page = (
            path.replace("?limit=250&", "?").replace("&limit=250", "").partition("page=")
        )
        found = self.answers.get(plain.rstrip("?&"))
        if found is None:
            return web.Response(status=404)
        if not page:
            return web.json_response(found)
        start = (int(page) - 1) * 250
        rows = found["data"] if isinstance(found, dict) else found
        part = rows[start : start + 250]
        if not part:
            return web.Response(status=204)
        return web.json_response({"data": part} if isinstance(found, dict) else part)

    def has_order(self, order: dict[str, Any], **parts: Any) -> None:
        """Put an order there, with what belongs to it."""
        path = f"/v2/orders/{order['id']}"
        self.answers[path] = order
        for name, part in parts.items():
            self.answers[f"{path}/{name}"] = part

    def has_customer(self, customer: dict[str, Any], addresses: list[dict[str, Any]]) -> None:
        """Put a customer there, with their addresses."""
        customer_id = customer["id"]
        self.answers[f"/v3/customers?id:in={customer_id}"] = {"data": [customer]}
        path = f"/v3/customers/addresses?customer_id:in={customer_id}"
        self.answers[path] = {"data": addresses}


@asynccontextmanager
async def a_store() -> AsyncIterator[Store]:
    """A store for the length of a block."""
    store = Store()
    app = web.Application()
    app.router.add_route("GET", "/{path:.*}", store.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    store.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield store
    finally:
        await runner.cleanup()


@asynccontextmanager
async def fetching(gateway: FastAPI, store: Store) -> AsyncIterator[DeliveryFetcher]:
    """The fetcher of a worker of its own."""
    context = gateway.state.context
    http = GuardedHttp(OutboundGuard(AllowList.parse("127.0.0.1")))
    api = StoreApi(http=http, url=store.url, clock=context.clock)
    fetcher = DeliveryFetcher(
        units=context.units,
        stores={Platform.BIGCOMMERCE: api},
        box=SecretBox(context.settings.root_key),
        read=DeliveryReader(context.units).read,
    )
    try:
        yield fetcher
    finally:
        await fetcher.close()
        await http.close()


def standard_signature(secret: str, body: bytes, *, at: int, message_id: str) -> dict[str, str]:
    """The headers that BigCommerce signs a delivery with, made without our own code."""
    signed = f"{message_id}.{at}.".encode() + body
    digest = base64.b64encode(hmac.digest(secret.encode(), signed, hashlib.sha256)).decode()
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{digest}",
    }


def thin(scope: str, data: dict[str, Any], *, at: int = 1_772_330_100) -> bytes:
    """A delivery's body: it names what has changed."""
    said = {"scope": scope, "store_id": "11", "data": data, "created_at": at}
    return json.dumps({**said, "producer": f"stores/{STORE}", "hash": f"{scope}{at}"}).encode()
