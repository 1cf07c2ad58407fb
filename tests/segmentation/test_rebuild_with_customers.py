"""A rebuild between the two real services, over the real stream."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.customer.app import create_app as create_customer_app
from services.customer.handlers import build_handlers as build_customer_handlers
from services.customer.settings import CustomerSettings
from services.customer.worker import build_worker as build_customer_worker
from services.segmentation.worker import build_worker
from shared.contracts.gateway import (
    PlatformIdentity,
    PlatformOrder,
    PlatformOrderReceived,
    PlatformOrigin,
    TenantProvisioned,
    TenantState,
)
from shared.ids import new_id
from shared.queue.worker import run_workers
from tests.segmentation.shop import START, ManualClock, Shop, Told
from tests.segmentation.test_rebuild import corrupt, facts
from tests.support.harness import ServiceHarness
from tests.support.leftovers import forget_leftovers
from tests.support.waiting import eventually

BUYERS = 12


@pytest.fixture
async def customers(shop: Shop, clock: ManualClock) -> AsyncIterator[ServiceHarness]:
    """The customer service, and the workers of both."""
    common = shop.service.context.settings
    settings = CustomerSettings(
        secret_key=common.secret_key,
        admin_database_url=common.admin_database_url,
        redis_url=common.redis_url,
        snapshot_batch=5,
        _env_file=None,
    )
    await forget_leftovers(settings)
    app = create_customer_app(settings, clock=clock)
    workers = [build_customer_worker(settings, clock=clock), build_worker(common, clock=clock)]
    stop = asyncio.Event()
    running = asyncio.create_task(run_workers(workers, stop))
    async with app.router.lifespan_context(app):
        yield ServiceHarness(app, app.state.context, build_customer_handlers(app.state.context))
        stop.set()
        await running


def delivery(number: int) -> Told:
    """A platform's order of a customer of its own."""
    origin = PlatformOrigin(
        source="shopify",
        connection_id=new_id(),
        delivery_id=new_id(),
        topic="orders/create",
        received_at=START,
    )
    order = PlatformOrder(
        external_id=str(number),
        number=str(number),
        currency="VND",
        total_minor=100_000 * number,
        financial_status="paid",
        placed_at=START,
        changed_at=START,
        customer=PlatformIdentity(
            external_id=str(number), email=f"khach{number}@example.vn", name=f"Khách {number}"
        ),
    )
    return new_id(), PlatformOrderReceived(origin=origin, order=order)


async def test_a_rebuild_ends_where_the_events_had_led(shop: Shop, customers: ServiceHarness):
    opened = TenantProvisioned(tenant=TenantState(name="Hoa Mai", slug=shop.tenant.hex))
    await customers.receive(shop.tenant, "gateway", [(shop.tenant, opened)])
    await customers.receive(shop.tenant, "gateway", [delivery(n) for n in range(1, BUYERS + 1)])
    await eventually(
        lambda: shop.members("new_customers"), lambda found: len(found) == BUYERS, seconds=30
    )
    before, moves = await facts(shop), await shop.moves()
    await corrupt(shop)

    started = await shop.call("POST", "/v1/segmentation-rebuilds")

    async def job() -> Any:
        return await shop.get(started.headers["Location"])

    done = await eventually(job, lambda found: found["status"] == "succeeded", seconds=30)
    assert (done["done"], done["total"]) == (BUYERS, BUYERS)
    assert await facts(shop) == before
    assert await shop.moves() == moves
