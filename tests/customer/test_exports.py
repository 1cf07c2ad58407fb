"""Customers in a file, as a job that a client can follow, stop and repeat."""

import csv
import io
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from services.customer.jobs import build_job_kinds
from shared.ids import TenantId
from shared.jobs.runner import JobRunner
from shared.security.principal import PrincipalKind, Visibility
from tests.support.harness import ServiceHarness

SCOPES = ("customers:read", "customers:write", "jobs:read", "jobs:write")


@pytest.fixture
async def client(service: ServiceHarness, shop: TenantId):
    async with service.client(shop, *SCOPES) as client:
        yield client


@pytest.fixture
def runner(service: ServiceHarness) -> JobRunner:
    async def nobody(_tenant: TenantId) -> None:
        """A wake-up that reaches nobody."""

    settings = service.context.settings
    context = service.context
    small = replace(context, settings=settings.model_copy(update={"export_page": 3}))
    return JobRunner(units=context.units, kinds=build_job_kinds(small), wake=nobody)


async def add(client: httpx.AsyncClient, **known: Any) -> dict[str, Any]:
    answer = await client.post("/v1/customers", json=known)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def export(client: httpx.AsyncClient, **wanted: Any) -> str:
    answer = await client.post("/v1/exports", json=wanted)
    assert answer.status_code == 202, answer.text
    location = answer.headers["location"]
    assert location == f"/v1/jobs/{answer.json()['id']}"
    return location


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


async def test_all_customers_are_in_the_file_page_by_page(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    people = [
        await add(client, name=f"Đặng Thị {n}", phone=f"09123456{n:02}", city="Huế", tags=["VIP"])
        for n in range(10)
    ]
    location = await export(client)
    assert await runner.step(shop)
    halfway = (await client.get(location)).json()
    assert (halfway["status"], halfway["done"]) == ("running", 3)
    await runner.go_on(shop.hex)

    job = (await client.get(location)).json()
    assert (job["status"], job["done"], job["result"]["rows"]) == ("succeeded", 10, 10)
    answer = await client.get(job["result"]["url"])
    assert answer.headers["content-disposition"] == 'attachment; filename="customers.csv"'
    assert len(answer.content) == job["result"]["bytes"]
    rows = rows_of(answer)
    assert [row["id"] for row in rows] == [person["id"] for person in reversed(people)]
    assert rows[0]["name"] == "Đặng Thị 9"
    assert (rows[0]["phone"], rows[0]["tags"]) == ("+84912345609", "VIP")
    assert (rows[0]["total_spent"], rows[0]["currency"]) == ("0", "VND")


async def test_a_filter_and_lines_of_json(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    await add(client, name="Người lạ")
    vip = await add(client, name="Khách quý", tags=["VIP"], attributes={"shoe_size": 39})
    location = await export(client, format="ndjson", filter={"tag": "VIP"})
    await runner.go_on(shop.hex)
    answer = await client.get(f"{location}/result")
    assert answer.headers["content-type"] == "application/x-ndjson"
    [line] = answer.text.splitlines()
    told = json.loads(line)
    assert (told["id"], told["attributes"]) == (vip["id"], {"shoe_size": 39})


async def test_no_cell_is_a_formula(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    name = '=HYPERLINK("http://evil.example","Đức")'
    await add(client, name=name, city="-1+1", tags=["@cmd"])
    location = await export(client)
    await runner.go_on(shop.hex)
    [row] = rows_of(await client.get(f"{location}/result"))
    assert (row["name"], row["city"], row["tags"]) == (f"'{name}", "'-1+1", "'@cmd")


async def test_an_empty_shop_has_a_file_with_its_head(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    location = await export(client)
    await runner.go_on(shop.hex)
    answer = await client.get(f"{location}/result")
    assert answer.content.decode("utf-8-sig").startswith("id,code,stage,name,")
    assert rows_of(answer) == []


async def test_a_cancelled_export_leaves_no_half_file_and_can_be_done_again(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    for n in range(5):
        await add(client, name=f"Khách {n}")
    location = await export(client)
    await runner.step(shop)
    await client.post(f"{location}/cancel")
    await runner.go_on(shop.hex)
    job = (await client.get(location)).json()
    assert (job["status"], job["result"]) == ("cancelled", None)
    assert (await client.get(f"{location}/result")).status_code == 404

    await client.post(f"{location}/retry")
    await runner.go_on(shop.hex)
    assert len(rows_of(await client.get(f"{location}/result"))) == 5


async def test_everybodys_data_is_for_those_who_may_see_it(
    service: ServiceHarness, client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    location = await export(client)
    await runner.go_on(shop.hex)
    async with service.client(shop, *SCOPES, sees_pii=False) as masked:
        assert (await masked.post("/v1/exports", json={})).status_code == 403
        assert (await masked.get(f"{location}/result")).status_code == 403
    async with service.client(
        shop, *SCOPES, kind=PrincipalKind.STAFF, visibility=Visibility.OWN
    ) as agent:
        refused = await agent.post("/v1/exports", json={})
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        assert (await agent.get(f"{location}/result")).status_code == 403
