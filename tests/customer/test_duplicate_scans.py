"""Scans of all customers for duplicates: a job, its findings, and what a shop decides of them."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from services.customer.jobs import build_job_kinds
from shared.ids import TenantId
from shared.jobs.runner import JobRunner
from tests.support.harness import ServiceHarness

SCOPES = (
    *("customers:read", "customers:write", "duplicates:read", "duplicates:write"),
    *("jobs:read", "jobs:write"),
)


@pytest.fixture
async def client(service: ServiceHarness, shop: TenantId):
    async with service.client(shop, *SCOPES) as client:
        yield client


@pytest.fixture
def runner(service: ServiceHarness) -> JobRunner:
    async def nobody(_tenant: TenantId) -> None:
        """A wake-up that reaches nobody."""

    context = service.context
    settings = context.settings.model_copy(update={"duplicate_scan_page": 3})
    small = replace(context, settings=settings)
    return JobRunner(units=context.units, kinds=build_job_kinds(small), wake=nobody)


async def add(client: httpx.AsyncClient, **known: Any) -> dict[str, Any]:
    answer = await client.post("/v1/customers", json=known)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def scan(client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, **wanted: Any):
    answer = await client.post("/v1/duplicates/scans", json=wanted)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/jobs/{answer.json()['id']}"
    await runner.go_on(shop.hex)
    found = await client.get(f"/v1/duplicates/scans/{answer.json()['id']}")
    return found.json()


async def candidates(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get("/v1/duplicates", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


async def test_one_person_written_twice_is_found(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    first = await add(client, name="Nguyễn Thị Lan", birth_date="1990-02-28")
    for n in range(8):
        await add(client, name=f"Trần Văn {'ABCDEFGH'[n]}n", birth_date=f"198{n}-02-28")
    second = await add(client, name="nguyen thi lan", birth_date="1990-02-28")
    done = await scan(client, runner, shop)
    assert (done["status"], done["mode"], done["customers"]) == ("succeeded", "full", 10)
    assert (done["pairs"], done["new_pairs"]) == (1, 1)
    [pair] = await candidates(client)
    assert (pair["older_id"], pair["newer_id"]) == (first["id"], second["id"])
    assert pair["reasons"] == ["same_birth_date", "same_name"]
    assert pair["score"] > 90
