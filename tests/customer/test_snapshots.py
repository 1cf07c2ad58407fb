"""Telling everything again to a consumer that rebuilds."""

import asyncio
from dataclasses import replace

import pytest

from services.customer.settings import CustomerSettings
from services.customer.snapshots.tasks import SnapshotWalker
from services.customer.worker import build_worker
from shared.contracts.gateway import PlatformIdentity
from shared.contracts.segmentation import SnapshotRequested
from shared.ids import new_id
from tests.customer.told import platform_order

SNAPSHOT = ("customer.snapshotted", "customer.order_snapshotted", "customer.snapshot_completed")


@pytest.fixture
def walker(service):
    """The worker's walker, with batches so small that there are several."""
    settings = service.context.settings.model_copy(update={"snapshot_batch": 3})
    return SnapshotWalker(replace(service.context, settings=settings))


@pytest.fixture
async def request_snapshot(service, shop):
    async def requested(job_id=None):
        job_id = job_id or new_id()
        await service.receive(shop, "segmentation", [(job_id, SnapshotRequested(job_id=job_id))])
        return job_id

    return requested


@pytest.fixture
async def eight_orders(service, shop):
    events = [
        platform_order(str(n), buyer=PlatformIdentity(external_id=f"c{n % 4}")) for n in range(8)
    ]
    await service.receive(shop, "gateway", events)


async def test_everything_is_told_again_and_then_that_it_was_all(
    service, shop, walker, request_snapshot, eight_orders
):
    job_id = await request_snapshot()
    await walker.walk(shop.hex)
    told = await service.told(shop, *SNAPSHOT)
    assert [event["type"] for event in told] == [
        *["customer.snapshotted"] * 4,
        *["customer.order_snapshotted"] * 8,
        "customer.snapshot_completed",
    ]
    assert (told[-1]["job_id"], told[-1]["requested_by"]) == (str(job_id), "segmentation")
    current = {
        event["customer"]["customer_id"]: event["customer"]
        for event in await service.told(shop, "customer.created", "customer.updated")
    }
    again = {
        event["customer"]["customer_id"]: event["customer"]
        for event in told
        if event["type"] == "customer.snapshotted"
    }
    assert again == current
    orders = {
        event["order"]["order_id"]: event["order"]
        for event in await service.told(shop, "customer.order_placed")
    }
    assert orders == {
        event["order"]["order_id"]: event["order"]
        for event in told
        if event["type"] == "customer.order_snapshotted"
    }


async def test_marks_are_told_again_before_anything_that_they_are_about(
    service, shop, client, walker, request_snapshot, eight_orders
):
    for key, mark in (("allergy", "sensitive"), ("salary", "personal"), ("size", "none")):
        field = {"key": key, "label": {"vi": key}, "sensitivity": mark}
        assert (await client.post("/v1/custom-fields", json=field)).status_code == 201
    before = len(await service.told(shop))
    await request_snapshot()
    await walker.walk(shop.hex)
    told = (await service.told(shop))[before:]
    assert [event["field"]["key"] for event in told[:2]] == ["allergy", "salary"]
    assert [event["type"] for event in told].count("customer.custom_field_defined") == 2


async def test_a_request_told_twice_is_one_snapshot(
    service, shop, walker, request_snapshot, eight_orders
):
    job_id = await request_snapshot()
    await walker.walk(shop.hex)
    await request_snapshot(job_id)
    await walker.walk(shop.hex)
    assert len(await service.told(shop, "customer.snapshot_completed")) == 1


async def test_the_sweep_finds_what_nobody_woke(
    service, shop, walker, request_snapshot, eight_orders
):
    await request_snapshot()
    await walker.sweep()
    assert len(await service.told(shop, "customer.snapshot_completed")) == 1


async def test_two_walkers_never_tell_twice(service, shop, walker, request_snapshot, eight_orders):
    await request_snapshot()
    await asyncio.gather(walker.walk(shop.hex), walker.walk(shop.hex))
    await walker.walk(shop.hex)
    assert len(await service.told(shop, *SNAPSHOT)) == 13


async def test_an_empty_shop_is_soon_told(service, shop, walker, request_snapshot):
    await request_snapshot()
    await walker.walk(shop.hex)
    assert [e["type"] for e in await service.told(shop, *SNAPSHOT)] == [SNAPSHOT[-1]]


async def test_the_worker_has_a_reaction_to_everything_it_subscribed_to(
    database_url, redis_url, root_key
):
    worker = build_worker(
        CustomerSettings(
            secret_key=root_key,
            admin_database_url=database_url,
            redis_url=redis_url,
            _env_file=None,
        )
    )
    assert "snapshots.walk" in worker.jobs
    for close in worker.close:
        await close()
