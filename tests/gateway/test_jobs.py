"""The jobs of all parts are one resource to a client, in both topologies."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from gateway.app import create_app
from gateway.door.jobs import merged
from gateway.settings import GatewaySettings
from gateway.upstreams.upstream import HttpUpstream, InProcessUpstream, Upstream
from services.segmentation.app import create_app as create_segmentation
from services.segmentation.settings import SegmentationSettings
from services.support_ticket.app import create_app as create_support_ticket
from services.support_ticket.settings import SupportTicketSettings
from shared.jobs.repository import JobRepository
from shared.jobs.schemas import JobStatus
from shared.part.context import PartContext
from shared.settings import PartSettings
from tests.gateway.conftest import Shop, client_of, make_shop
from tests.gateway.test_http_upstream import serving

PARTS: dict[str, tuple[Any, type[PartSettings]]] = {
    "segmentation": (create_segmentation, SegmentationSettings),
    "support_ticket": (create_support_ticket, SupportTicketSettings),
}


class House:
    """The gateway with two services behind it, and what goes on in them."""

    def __init__(self, gateway: FastAPI, parts: dict[str, FastAPI], shop: Shop) -> None:
        self.gateway, self.parts, self.shop = gateway, parts, shop

    def context(self, part: str) -> PartContext[Any]:
        app = self.gateway if part == "gateway" else self.parts[part]
        context: PartContext[Any] = app.state.context
        return context

    async def add(self, part: str, kind: str = "segment_rebuild", **detail: str) -> UUID:
        context = self.context(part)
        async with context.units.begin(self.shop.tenant_id) as uow:
            jobs = JobRepository(uow, schema=part)
            job_id = await jobs.add(kind, detail={"reason": "rebuilt", **detail})
            await uow.commit()
        return job_id

    async def report(self, part: str, job_id: UUID, **progress: Any) -> None:
        async with self.context(part).units.begin(self.shop.tenant_id) as uow:
            await JobRepository(uow, schema=part).report(job_id, **progress)
            await uow.commit()


@pytest.fixture(params=["in_process", "http"])
async def house(
    request: pytest.FixtureRequest, gateway_settings: GatewaySettings
) -> AsyncIterator[House]:
    apps: dict[str, FastAPI] = {}
    upstreams: dict[str, Upstream] = {}
    async with contextlib.AsyncExitStack() as stack:
        for name, (create, kind) in PARTS.items():
            apps[name] = create(
                kind(
                    secret_key=gateway_settings.secret_key,
                    admin_database_url=gateway_settings.admin_database_url,
                    redis_url=gateway_settings.redis_url,
                    access_log=False,
                    _env_file=None,
                )
            )
            stack.push_async_callback(apps[name].state.context.close)
            if request.param == "in_process":
                upstreams[name] = InProcessUpstream(apps[name])
            else:
                url = await stack.enter_async_context(serving(apps[name]))
                upstreams[name] = HttpUpstream(url)
        gateway = create_app(gateway_settings, upstreams)
        await stack.enter_async_context(gateway.router.lifespan_context(gateway))
        yield House(gateway, apps, await make_shop(gateway))


@pytest.fixture
async def caller(house: House) -> AsyncIterator[httpx.AsyncClient]:
    key = await house.shop.key("jobs:read", "jobs:write")
    async with client_of(house.gateway, key) as client:
        yield client


async def test_a_job_is_found_wherever_it_is(house: House, caller: httpx.AsyncClient) -> None:
    for part in ("segmentation", "support_ticket", "gateway"):
        job_id = await house.add(part, kind="somebodys")
        for _ in range(2):
            answer = await caller.get(f"/v1/jobs/{job_id}")
            assert (answer.status_code, answer.json()["id"]) == (200, str(job_id))


async def test_the_list_is_of_all_parts(house: House, caller: httpx.AsyncClient) -> None:
    parts = ("segmentation", "support_ticket", "gateway")
    wanted = [str(await house.add(parts[n % 3])) for n in range(8)]
    ended = wanted[0]
    await house.report("segmentation", UUID(ended), status=JobStatus.SUCCEEDED)

    found: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        answer = await caller.get("/v1/jobs", params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["data"]) <= 3
        found += [job["id"] for job in page["data"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert found == wanted[::-1]

    queued = (await caller.get("/v1/jobs", params={"status": "queued"})).json()
    assert ended not in [job["id"] for job in queued["data"]]
    assert len(queued["data"]) == 7
    wrong = await caller.get("/v1/jobs", params={"limit": "no"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid")


async def test_a_job_is_cancelled_where_it_is(house: House, caller: httpx.AsyncClient) -> None:
    job_id = await house.add("segmentation")
    headers = {"Idempotency-Key": str(job_id)}
    for _ in range(2):
        answer = await caller.post(f"/v1/jobs/{job_id}/cancel", headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.json()["cancel_requested_at"] is not None

    lasting = await house.add("segmentation", kind="segment_removal")
    answer = await caller.post(f"/v1/jobs/{lasting}/cancel")
    assert (answer.status_code, answer.json()["allowed_transitions"]) == (409, [])


async def test_what_nobody_has_is_not_found(house: House, caller: httpx.AsyncClient) -> None:
    job_id = await house.add("support_ticket")
    await house.report("support_ticket", job_id, status=JobStatus.SUCCEEDED)
    missing = await caller.get(f"/v1/jobs/{job_id}/result")
    assert (missing.status_code, missing.json()["code"]) == (404, "job_file_not_found")
    unknown = UUID(int=7)
    for path in ("", "/events", "/result"):
        answer = await caller.get(f"/v1/jobs/{unknown}{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")
    assert (await caller.post(f"/v1/jobs/{unknown}/retry")).status_code == 404
    assert (await caller.delete(f"/v1/jobs/{job_id}")).status_code == 405
    assert (await caller.get("/v1/jobs/not-an-id")).status_code == 422


async def test_progress_streams_from_where_the_job_is(
    house: House, caller: httpx.AsyncClient
) -> None:
    """Over HTTP, so that what is said arrives while there is more to say."""
    job_id = await house.add("support_ticket", kind="somebodys")
    async with serving(house.gateway) as url, httpx.AsyncClient(base_url=url) as client:
        headers = dict(caller.headers)
        async with (
            asyncio.timeout(20),
            client.stream("GET", f"/v1/jobs/{job_id}/events", headers=headers) as stream,
        ):
            assert stream.headers["content-type"].startswith("text/event-stream")
            assert stream.headers["cache-control"] == "no-store"
            lines = stream.aiter_lines()

            async def told() -> dict[str, Any]:
                async for line in lines:
                    if line.startswith("data: "):
                        job: dict[str, Any] = json.loads(line.removeprefix("data: "))
                        return job
                raise AssertionError("the stream has ended")

            assert (await told())["status"] == "queued"
            await house.report("support_ticket", job_id, status=JobStatus.RUNNING, done=5)
            assert (await told())["done"] == 5
            await house.report("support_ticket", job_id, status=JobStatus.SUCCEEDED)
            last = await told()
            assert last["status"] == "succeeded"
            assert [line async for line in lines if line] == []
        headers["Last-Event-ID"] = str(last["version"])
        again = await client.get(f"/v1/jobs/{job_id}/events", headers=headers)
        assert again.status_code == 204


async def test_a_part_that_is_down_hides_only_what_it_may_have(
    house: House, gateway_settings: GatewaySettings
) -> None:
    upstreams: dict[str, Upstream] = {
        "customer": HttpUpstream("http://127.0.0.1:1", connect_seconds=0.5),
        "segmentation": InProcessUpstream(house.parts["segmentation"]),
    }
    gateway = create_app(gateway_settings, upstreams)
    async with gateway.router.lifespan_context(gateway):
        key = await house.shop.key("jobs:read")
        async with client_of(gateway, key) as client:
            known = await house.add("segmentation")
            assert (await client.get(f"/v1/jobs/{known}")).status_code == 200
            assert (await client.get(f"/v1/jobs/{UUID(int=7)}")).status_code == 503
            assert (await client.get("/v1/jobs")).status_code == 503


def test_the_clock_of_lists_is_read_right() -> None:
    def job(second: str, number: int) -> dict[str, str]:
        return {"created_at": f"2026-11-21T03:30:{second}Z", "id": str(UUID(int=number))}

    pages = [
        {"data": [job("01.5", 2), job("01", 9)], "next_cursor": None},
        {"data": [job("01.500001", 1), job("01.5", 3)], "next_cursor": "more"},
    ]
    page = merged(pages, limit=3)
    assert [UUID(found["id"]).int for found in page["data"]] == [1, 3, 2]
    assert page["next_cursor"] is not None
    assert datetime.fromisoformat(page["data"][0]["created_at"]).tzinfo == UTC
