"""The background process: woken by the API, moved by the clock."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.segmentation.runs.repository import RunKind, RunRepository
from services.segmentation.segments.reasons import Reason
from services.segmentation.settings import SegmentationSettings
from services.segmentation.worker import build_worker
from shared.ids import TenantId
from shared.queue.worker import run_workers
from tests.segmentation.shop import ManualClock, Shop, customer, order
from tests.support.leftovers import forget_leftovers
from tests.support.waiting import eventually


@pytest.fixture
async def worker(
    database_url: str, redis_url: str, root_key: str, clock: ManualClock
) -> AsyncIterator[None]:
    """A running worker that looks at the clock all the time."""
    settings = SegmentationSettings(
        secret_key=root_key,
        admin_database_url=database_url,
        redis_url=redis_url,
        flip_seconds=0.05,
        _env_file=None,
    )
    await forget_leftovers(settings)
    stop = asyncio.Event()
    running = asyncio.create_task(run_workers([build_worker(settings, clock=clock)], stop))
    yield
    stop.set()
    await running


async def job_status(shop: Shop, location: str) -> Any:
    return (await shop.get(location))["status"]


async def test_a_client_follows_the_evaluation_of_a_new_segment(shop: Shop, worker: None):
    people = [customer(city="Huế") for _ in range(5)]
    await shop.hear(*people)
    body = {
        "key": "hue",
        "name": {"vi": "Huế", "en": "Huế"},
        "rule": {"field": "profile.city", "op": "eq", "value": "Huế"},
    }

    created = (await shop.call("POST", "/v1/segments", body)).json()

    location = f"/v1/jobs/{created['evaluation_job_id']}"
    await eventually(lambda: job_status(shop, location), lambda status: status == "succeeded")
    assert await shop.members("hue") == {key for key, _ in people}


async def test_time_moves_people_by_itself(shop: Shop, worker: None):
    who, known = customer()
    await shop.hear((who, known), order(who))
    assert await shop.members("new_customers") == {who}

    shop.clock.advance(days=31)

    await eventually(lambda: shop.members("new_customers"), lambda members: members == set())


async def test_work_whose_wake_up_was_lost_is_done_all_the_same(shop: Shop, worker: None):
    async def lost(_tenant: TenantId) -> None:
        """A wake-up that never arrives."""

    async with shop.service.context.units.begin(shop.tenant) as uow:
        runs = RunRepository(uow, wake=lost)
        job_id = await runs.add(RunKind.EVALUATION, reason=Reason.REBUILT)
        await uow.commit()

    await eventually(
        lambda: job_status(shop, f"/v1/jobs/{job_id}"), lambda status: status == "succeeded"
    )
