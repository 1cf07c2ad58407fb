"""The gateway's background process, on the real queue."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI

from gateway.settings import GatewaySettings
from gateway.worker import build_worker
from shared.queue.worker import run_workers
from tests.gateway.conftest import Shop
from tests.gateway.test_hooks import ORDER, connect
from tests.support.leftovers import forget_leftovers
from tests.support.waiting import eventually


@contextlib.asynccontextmanager
async def running(settings: GatewaySettings) -> AsyncIterator[None]:
    await forget_leftovers(settings)
    worker = build_worker(settings)
    stop = asyncio.Event()
    task = asyncio.create_task(run_workers([worker], stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def test_a_delivery_wakes_the_worker_which_tells_the_services(
    gateway: FastAPI, gateway_settings: GatewaySettings, shop: Shop
) -> None:
    sender = await connect(shop, "shopify")
    async with running(gateway_settings):
        await sender.send(ORDER, "orders/create")
        told = await eventually(sender.told)
        assert told[0][1]["order"]["number"] == "#1001"
        await sender.send({**ORDER, "name": "#1002"}, "orders/updated")
        await eventually(sender.told, lambda events: len(events) == 2)
    await sender.owner.aclose()
