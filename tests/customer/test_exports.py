"""Customers in a file, as a job that a client can follow, stop and repeat."""

import csv
import io
import json
import zipfile
from dataclasses import replace
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from services.customer.jobs import build_job_kinds
from shared.ids import TenantId
from shared.jobs.runner import JobRunner
from shared.security.principal import PrincipalKind, Visibility
from tests.support.harness import ServiceHarness

SCOPES = (
    *("customers:read", "customers:write", "jobs:read", "jobs:write"),
    *("custom_fields:read", "custom_fields:write"),
)


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


WELL_KNOWN: dict[str, Any] = {
    "name": "Nguyễn Văn Đức",
    "kind": "person",
    "relation": "partner",
    "given_name": "Đức",
    "honorific": "anh",
    "birth_date_lunar": {"day": 15, "month": 8, "year": 1990},
    "occupation": "Giáo viên",
    "position": "=Tổ trưởng",
    "income_band": {"currency": "VND", "at_least": "10000000", "below": "20000000"},
    "preferences": ["cà phê", "áo dài"],
    "preferred_channel": "zalo",
    "time_zone": "Asia/Ho_Chi_Minh",
    "rating": 4,
    "tax_code": "0312345678",
}


async def well_known(client: httpx.AsyncClient) -> dict[str, Any]:
    """Somebody of whom everything is known, as the API tells of them."""
    person = await add(client, **WELL_KNOWN)
    path = f"/v1/customers/{person['id']}"
    given = {"full_address": "12 Lê Lợi, P. Bến Nghé, Q.1, TP.HCM"}
    assert (await client.post(f"{path}/addresses", json=given)).status_code == 201
    said = {"purpose": "marketing", "status": "granted", "proof": {"page": "/"}}
    over = {"at": "2026-01-01T00:00:00Z", "expires_at": "2026-02-01T00:00:00Z"}
    for answer in ({"channel": "email", **over}, {"channel": "zalo"}):
        sent = await client.post(f"{path}/consents", json={**said, **answer})
        assert sent.status_code == 201, sent.text
    told: dict[str, Any] = (await client.get(path)).json()
    return told


async def test_what_the_profile_says_is_in_the_lines_of_json(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    person = await well_known(client)
    location = await export(client, format="jsonl", filter={"occupation": "Giáo viên"})
    await runner.go_on(shop.hex)
    line = json.loads((await client.get(f"{location}/result")).text)
    names = (*WELL_KNOWN, "owner_id", "consents")
    assert {name: line[name] for name in names} == {name: person[name] for name in names}
    assert line["address"].items() <= person["address"].items()
    assert line["address"]["vn63_province_code"] == "79"


async def test_what_the_profile_says_is_in_cells(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    await well_known(client)
    await add(client, name="Ai đó")
    location = await export(client, sort="name")
    await runner.go_on(shop.hex)
    nobody, row = rows_of(await client.get(f"{location}/result"))
    assert {name: row[name] for name in ("kind", "relation", "given_name", "rating")} == {
        "kind": "person",
        "relation": "partner",
        "given_name": "Đức",
        "rating": "4",
    }
    assert row["birth_date_lunar"] == "15/8/1990"
    assert (row["income_band"], row["tax_code"]) == ("10000000-20000000 VND", "0312345678")
    assert (row["position"], row["preferences"]) == ("'=Tổ trưởng", "cà phê|áo dài")
    assert row["address"].startswith("12 Lê Lợi, ")
    assert row["consents"] == "marketing.email=expired|marketing.zalo=granted"
    assert (nobody["relation"], nobody["income_band"], nobody["consents"]) == ("customer", "", "")


async def test_what_the_profile_says_is_in_the_workbook(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    await well_known(client)
    location = await export(client, format="xlsx")
    await runner.go_on(shop.hex)
    content = (await client.get(f"{location}/result")).content
    head, row = load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)
    told = dict(zip(head, row, strict=True))
    assert (told["rating"], told["income_band"]) == (4, "10000000-20000000 VND")
    assert told["birth_date_lunar"] == "15/8/1990"


@pytest.mark.parametrize(
    "name",
    ['=HYPERLINK("http://evil.example","Đức")', "＝cmd|' /C calc'!A0", "＋1", "－1", "＠SUM"],
)
async def test_no_cell_is_a_formula(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, name: str
) -> None:
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


async def define(client: httpx.AsyncClient, key: str, type_: str) -> None:
    body = {"key": key, "type": type_, "label": {"vi": key}}
    answer = await client.post("/v1/custom-fields", json=body)
    assert answer.status_code == 201, answer.text


@pytest.mark.capability(20)
@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
async def test_own_fields_the_filter_and_the_order_of_the_list(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, form: str
) -> None:
    await define(client, "shoe_size", "number")
    await define(client, "is_local", "boolean")
    for size in (39, 36, 41, 40, 38, 42, 37):
        said = {"shoe_size": size, "is_local": size > 39}
        await add(client, name=f"=Khách {size}", attributes=said, city="Huế")
    await add(client, name="Ai đó", city="Huế")
    question = {"attributes": {"shoe_size": {"gte": 38, "lt": 42}}, "city": ["Huế"]}
    location = await export(client, format=form, filter=question, sort="-attributes.shoe_size")
    await runner.go_on(shop.hex)
    job = (await client.get(location)).json()
    assert (job["status"], job["result"]["rows"]) == ("succeeded", 4), job
    answer = await client.get(f"{location}/result")
    assert job["result"]["file_name"] == f"customers.{form}"
    if form == "jsonl":
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert [line["attributes"]["shoe_size"] for line in lines] == [41, 40, 39, 38]
        assert lines[0]["days_since_last_order"] is None
        return
    if form == "csv":
        rows: list[dict[str, Any]] = list(rows_of(answer))
        expected: list[tuple[Any, ...]] = [
            (f"'=Khách {size}", str(size), str(size > 39).lower()) for size in (41, 40, 39, 38)
        ]
    else:
        head, *cells = list(load_workbook(io.BytesIO(answer.content)).active.iter_rows())
        assert all(cell.data_type != "f" for row in cells for cell in row)
        names = [cell.value for cell in head]
        rows = [dict(zip(names, [cell.value for cell in row], strict=True)) for row in cells]
        expected = [(f"=Khách {size}", size, size > 39) for size in (41, 40, 39, 38)]
        assert rows[0]["total_spent"] == 0
    told = [(r["name"], r["attributes.shoe_size"], r["attributes.is_local"]) for r in rows]
    assert told == expected


async def test_a_spreadsheet_is_whole_after_a_worker_was_replaced(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    people = [await add(client, name=f"Khách & <{n}> \x0b" if n % 2 else f"K{n}") for n in range(7)]
    location = await export(client, format="xlsx")
    while await runner.step(shop):
        """Each step takes the file up where the last one left it."""
    answer = await client.get(f"{location}/result")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
    sheet = load_workbook(io.BytesIO(answer.content), read_only=True)["customers"]
    rows = list(sheet.iter_rows(values_only=True))
    at = rows[0].index("name")
    assert [row[at] for row in rows[1:]] == [person["name"] for person in reversed(people)]


async def test_what_an_export_cannot_do_is_refused_at_once(client: httpx.AsyncClient) -> None:
    question = {"attributes": {"nothing": {"eq": 1}}}
    refused = await client.post("/v1/exports", json={"filter": question})
    [fault] = refused.json()["errors"]
    assert (refused.status_code, fault["pointer"], fault["code"]) == (
        422,
        "/body/filter/attributes/nothing",
        "unknown_field",
    )
    refused = await client.post("/v1/exports", json={"filter": {"orders_count_gte": "2"}})
    assert refused.status_code == 422
