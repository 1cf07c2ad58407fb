"""Fields that a shop defines, over the API."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.customer.jobs import build_job_kinds
from shared.ids import TenantId, new_id
from shared.jobs.runner import JobRunner
from shared.security.principal import PrincipalKind, Visibility
from tests.customer.merging import Merging
from tests.support.harness import ServiceHarness


@pytest.fixture
def runner(service: ServiceHarness) -> JobRunner:
    async def nobody(_tenant: TenantId) -> None:
        """A wake-up that reaches nobody."""

    context = service.context
    small = replace(context, settings=context.settings.model_copy(update={"field_rebuild_page": 2}))
    return JobRunner(units=context.units, kinds=build_job_kinds(small), wake=nobody)


async def define(client: httpx.AsyncClient, key: str, type_: str, **more: Any) -> dict[str, Any]:
    body = {"key": key, "type": type_, "label": {"vi": key}, **more}
    answer = await client.post("/v1/custom-fields", json=body)
    assert answer.status_code == 201, answer.text
    field: dict[str, Any] = answer.json()
    return field


def options(*values: str) -> list[dict[str, Any]]:
    return [{"value": value, "label": {"vi": value}} for value in values]


async def add(client: httpx.AsyncClient, **attributes: Any) -> dict[str, Any]:
    body = {"name": "Nguyễn Văn Đức", "attributes": attributes}
    answer = await client.post("/v1/customers", json=body)
    assert answer.status_code == 201, answer.text
    customer: dict[str, Any] = answer.json()
    return customer


async def faults(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {fault["pointer"]: fault["code"] for fault in answer.json()["errors"]}


OF_TYPES: dict[str, tuple[dict[str, Any], list[Any], list[tuple[Any, str]]]] = {
    "text": ({}, ["xanh lá"], [(5, "text"), (" ", "text"), (["a"], "text")]),
    "number": (
        {},
        [39, 39.5, -1],
        [("39", "number"), (True, "number"), (2.0**53 + 2, "number_range")],
    ),
    "money": (
        {"currency": "USD"},
        [12, 12.5],
        [("a", "money_not_a_number"), (1.234, "money_too_many_decimals"), (True, "money")],
    ),
    "date": ({}, ["2026-02-28"], [("28/02/2026", "date"), ("2026-02-30", "date"), (5, "date")]),
    "boolean": ({}, [True, False], [("true", "boolean"), (1, "boolean")]),
    "enum": (
        {"options": options("gold", "tin")},
        ["gold"],
        [("iron", "option"), (["gold"], "option")],
    ),
    "multi_enum": (
        {"options": options("a", "b")},
        [["a", "b"]],
        [(["c"], "option"), ("a", "option")],
    ),
    "url": (
        {},
        ["https://hoamai.vn/ao-dai?mau=do"],
        [("hoamai", "url"), ("javascript:alert(1)", "url"), ("https://a b.vn", "url")],
    ),
}


@pytest.mark.capability(126)
@pytest.mark.parametrize("type_", OF_TYPES)
async def test_a_field_takes_values_of_its_type_and_no_others(client, type_):
    more, fitting, unfit = OF_TYPES[type_]
    field = await define(client, "own", type_, **more)
    assert (await client.get(f"/v1/custom-fields/{field['id']}")).json()["type"] == type_
    for value in fitting:
        customer = await add(client, own=value)
        assert customer["attributes"] == {"own": value}
    for value, code in unfit:
        refused = await client.post(
            "/v1/customers", json={"name": "An", "attributes": {"own": value}}
        )
        assert await faults(refused) == {"/body/attributes/own": code}, value
        path = f"/v1/customers/{customer['id']}"
        refused = await client.patch(path, json={"attributes": {"own": value}})
        assert await faults(refused) == {"/body/attributes/own": code}, value
        path = "/v1/customers/by-external-id/pos/77"
        refused = await client.put(path, json={"name": "An", "attributes": {"own": value}})
        assert await faults(refused) == {"/body/attributes/own": code}, value


async def test_a_field_that_is_told_what_it_is_stays_as_it_is(client):
    made = await define(client, "rank", "enum", options=options("gold", "tin"))
    same = {"label": {"vi": "rank"}, "options": options("gold", "tin")}
    answer = await client.patch(f"/v1/custom-fields/{made['id']}", json=same)
    assert (answer.status_code, answer.json()["version"]) == (200, made["version"])


async def test_money_is_an_amount_of_the_fields_currency_however_it_is_written(client):
    await define(client, "deposit", "money", currency="USD")
    assert (await add(client, deposit="12.50"))["attributes"] == {"deposit": 12.5}
    assert (await add(client, deposit="12.00"))["attributes"] == {"deposit": 12}
    shop_money = await define(client, "debt", "money")
    assert shop_money["currency"] == "VND"
    assert (await add(client, debt="1250000"))["attributes"] == {"debt": 1250000}


async def test_attributes_that_nobody_has_defined_are_free_unless_the_shop_is_strict(client):
    await define(client, "size", "number")
    customer = await add(client, colour="xanh", size=39)
    assert customer["attributes"] == {"colour": "xanh", "size": 39}
    assert (await client.get("/v1/custom-fields/policy")).json()["strict"] is False
    answer = await client.put("/v1/custom-fields/policy", json={"strict": True})
    assert (answer.status_code, answer.json()["strict"]) == (200, True)
    refused = await client.post(
        "/v1/customers", json={"name": "An", "attributes": {"colour": "đỏ"}}
    )
    assert await faults(refused) == {"/body/attributes/colour": "unknown_field"}
    # What is there stays, may be said again and may go.
    path = f"/v1/customers/{customer['id']}"
    kept = await client.patch(path, json={"attributes": {"colour": "xanh", "size": 40}})
    assert kept.json()["attributes"] == {"colour": "xanh", "size": 40}
    gone = await client.patch(path, json={"attributes": {"colour": None}})
    assert gone.json()["attributes"] == {"size": 40}


async def test_what_is_required_is_asked_of_new_customers_and_cannot_be_cleared(client):
    before = await add(client)
    await define(client, "size", "number", required=True)
    refused = await client.post("/v1/customers", json={"name": "An"})
    assert await faults(refused) == {"/body/attributes/size": "required"}
    customer = await add(client, size=39)
    path = f"/v1/customers/{customer['id']}"
    for cleared in ({"size": None}, None):
        refused = await client.patch(path, json={"attributes": cleared})
        assert await faults(refused) == {"/body/attributes/size": "required"}
    changed = await client.patch(f"/v1/customers/{before['id']}", json={"city": "Huế"})
    assert changed.status_code == 200


async def test_a_unique_value_is_one_customers(client):
    await define(client, "card", "text", unique=True)
    holder = await add(client, card="HM-001")
    other = await add(client, card="HM-002")
    refused = await client.post(
        "/v1/customers", json={"name": "An", "attributes": {"card": "hm-001"}}
    )
    assert await faults(refused) == {"/body/attributes/card": "not_unique"}
    path = f"/v1/customers/{other['id']}"
    refused = await client.patch(path, json={"attributes": {"card": "HM-001"}})
    assert await faults(refused) == {"/body/attributes/card": "not_unique"}
    same = await client.patch(
        f"/v1/customers/{holder['id']}", json={"attributes": {"card": "hm-001"}}
    )
    assert same.json()["attributes"] == {"card": "hm-001"}


async def test_a_unique_value_is_found_by_whoever_stands_for_its_holder(client):
    field = await define(client, "card", "text", unique=True)
    stays, holder = await add(client), await add(client, card="HM-001")
    people = Merging(client)
    merge = await people.merge(stays, holder)
    assert merge["customer"]["attributes"] == {"card": "HM-001"}
    assert await names(client, **{"attributes[card]": "HM-001"}) == [stays["code"]]
    assert (await client.get(f"/v1/custom-fields/{field['id']}/misfits")).json()["data"] == []
    await people.undo(merge)
    assert await names(client, **{"attributes[card]": "HM-001"}) == [holder["code"]]


async def test_of_two_who_part_with_one_unique_value_one_has_it(client):
    field = await define(client, "card", "text", unique=True)
    stays, holder = await add(client, card="HM-002"), await add(client, card="HM-001")
    people = Merging(client)
    merge = await people.merge(stays, holder)
    said = {"attributes": {"card": "HM-001"}}
    assert (await client.patch(f"/v1/customers/{stays['id']}", json=said)).is_success
    await people.undo(merge)
    assert await names(client, **{"attributes[card]": "HM-001"}) == [stays["code"]]
    [misfit] = (await client.get(f"/v1/custom-fields/{field['id']}/misfits")).json()["data"]
    assert (misfit["customer_id"], misfit["code"]) == (holder["id"], "not_unique")


async def test_of_many_who_want_a_unique_value_at_once_one_gets_it(client):
    await define(client, "card", "text", unique=True)
    body = {"name": "An", "attributes": {"card": "HM-001"}}
    answers = await asyncio.gather(*(client.post("/v1/customers", json=body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 7


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"type": "enum"}, "/body/options", "options"),
        ({"type": "text", "options": options("a")}, "/body/options", "options"),
        ({"type": "enum", "options": options("a", "a")}, "/body/options", "repeated"),
        ({"type": "text", "currency": "VND"}, "/body/currency", "not_money"),
        ({"type": "number", "unique": True}, "/body/unique", "unique"),
    ],
)
async def test_a_definition_must_fit_together(client, body, pointer, code):
    body = {"key": "own", "label": {"vi": "Riêng"}, **body}
    assert await faults(await client.post("/v1/custom-fields", json=body)) == {pointer: code}


async def test_a_key_is_one_fields(client):
    await define(client, "size", "number")
    body = {"key": "size", "type": "text", "label": {"vi": "Cỡ"}}
    answer = await client.post("/v1/custom-fields", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "custom_field_key_taken")


@pytest.mark.capability(126)
async def test_a_shop_has_fifty_fields_and_no_more(client):
    fields = [await define(client, f"own_{n}", "number") for n in range(50)]
    body = {"key": "one_more", "label": {"vi": "Nữa"}}
    answer = await client.post("/v1/custom-fields", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_custom_fields")
    path = f"/v1/custom-fields/{fields[0]['id']}"
    assert (await client.patch(path, json={"archived": True})).status_code == 200
    assert (await client.post("/v1/custom-fields", json=body)).status_code == 201
    answer = await client.patch(path, json={"archived": False})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_custom_fields")


async def test_a_field_in_use_keeps_its_type_and_the_options_in_use(client):
    field = await define(client, "level", "enum", options=options("gold", "tin"))
    path = f"/v1/custom-fields/{field['id']}"
    changed = await client.patch(path, json={"options": options("gold", "tin", "silver")})
    assert changed.status_code == 200
    await add(client, level="gold")
    for body in ({"type": "text", "options": []}, {"options": options("tin")}):
        answer = await client.patch(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "custom_field_in_use"), body
    assert (await client.patch(path, json={"options": options("gold")})).status_code == 200
    assert (await client.delete(path)).status_code == 409
    unused = await define(client, "unused", "text")
    path = f"/v1/custom-fields/{unused['id']}"
    retyped = await client.patch(path, json={"type": "money"})
    assert (retyped.json()["type"], retyped.json()["currency"]) == ("money", "VND")
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).status_code == 404


async def test_an_archived_field_takes_no_new_values_and_keeps_the_old(client):
    field = await define(client, "level", "number")
    customer = await add(client, level=1)
    path = f"/v1/custom-fields/{field['id']}"
    archived = await client.patch(path, json={"archived": True})
    assert archived.json()["archived_at"] is not None
    refused = await client.post("/v1/customers", json={"name": "A", "attributes": {"level": 2}})
    assert await faults(refused) == {"/body/attributes/level": "archived"}
    path = f"/v1/customers/{customer['id']}"
    assert (await client.patch(path, json={"attributes": {"level": 1}})).status_code == 200
    # Nor does a value that is there stand in the way of other changes.
    assert (await client.patch(path, json={"attributes": {"note": "x"}})).status_code == 200


async def test_who_was_faster_wins(client):
    field = await define(client, "level", "number")
    path = f"/v1/custom-fields/{field['id']}"
    stale = {"If-Match": '"1"'}
    body = {"label": {"vi": "Bậc"}}
    assert (await client.patch(path, json=body, headers=stale)).status_code == 200
    assert (await client.patch(path, json={"required": True}, headers=stale)).status_code == 412
    assert (await client.delete(path, headers=stale)).status_code == 412


async def names(client: httpx.AsyncClient, **params: Any) -> list[str]:
    answer = await client.get("/v1/customers", params=params)
    assert answer.status_code == 200, answer.text
    return [customer["code"] for customer in answer.json()["data"]]


async def test_what_was_there_before_a_field_is_read_by_a_job(client, runner, shop, service):
    people = [await add(client, size=value) for value in (39, 40, "lớn", 41, None, 39)]
    field = await define(client, "size", "number")
    assert await names(client, **{"attributes[size]": "39"}) == []
    path = f"/v1/jobs/{field['rebuild_job_id']}"
    async with service.client(shop, "jobs:read") as watcher:
        assert await runner.step(shop)
        job = (await watcher.get(path)).json()
        assert (job["status"], job["done"], job["total"]) == ("running", 2, 6)
        # Somebody is faster than the job: what they say is what counts.
        last = f"/v1/customers/{people[5]['id']}"
        await client.patch(last, json={"attributes": {"size": 42}})
        await runner.go_on(shop.hex)
        job = (await watcher.get(path)).json()
        assert (job["status"], job["done"], job["detail"]["misfits"]) == ("succeeded", 6, 1)
    assert await names(client, **{"attributes[size]": "39"}) == [people[0]["code"]]
    assert await names(client, **{"attributes[size][gte]": "41"}) == [
        people[5]["code"],
        people[3]["code"],
    ]
    misfits = await client.get(f"/v1/custom-fields/{field['id']}/misfits")
    [misfit] = misfits.json()["data"]
    assert (misfit["customer_id"], misfit["code"]) == (people[2]["id"], "number")
    assert misfit["value"] == "lớn"
    await client.patch(f"/v1/customers/{people[2]['id']}", json={"attributes": {"size": 44}})
    assert (await client.get(f"/v1/custom-fields/{field['id']}/misfits")).json()["data"] == []


async def test_the_second_who_had_a_unique_value_before_is_a_misfit(client, runner, shop):
    people = [await add(client, card=value) for value in ("HM-1", "HM-2", "hm-1")]
    field = await define(client, "card", "text", unique=True)
    await runner.go_on(shop.hex)
    [misfit] = (await client.get(f"/v1/custom-fields/{field['id']}/misfits")).json()["data"]
    assert (misfit["customer_id"], misfit["code"]) == (people[2]["id"], "not_unique")
    assert await names(client, **{"attributes[card]": "HM-1"}) == [people[0]["code"]]


async def test_who_does_not_see_a_customer_does_not_see_their_misfit(client, runner, shop, service):
    mine = await add(client, size="S")
    other = await add(client, size="L")
    async with service.context.units.begin(shop) as uow:
        statement = text(
            "UPDATE customer.customer SET owner_id = :owner WHERE tenant_id = :tenant AND id = :id"
        )
        owner = {"owner": new_id(), "tenant": shop, "id": other["id"]}
        await uow.execute(statement, owner)
        await uow.commit()
    field = await define(client, "size", "number")
    await runner.go_on(shop.hex)
    path = f"/v1/custom-fields/{field['id']}/misfits"
    assert len((await client.get(path)).json()["data"]) == 2
    async with service.client(
        shop,
        "custom_fields:read",
        "customers:read",
        kind=PrincipalKind.STAFF,
        actor_id=str(new_id()),
        visibility=Visibility.OWN,
    ) as agent:
        told = (await agent.get(path)).json()["data"]
    assert [misfit["customer_id"] for misfit in told] == [mine["id"]]


async def test_what_a_form_brings_is_kept_even_if_it_does_not_fit(client):
    field = await define(client, "shoe_size", "number")
    words = {"vi": "Cỡ giày"}
    form = await client.post(
        "/v1/lead-forms",
        json={
            "name": "Đăng ký",
            "title": words,
            "fields": [{"name": "email", "required": True}],
            "own_fields": [{"key": "shoe_size", "label": words, "type": "text"}],
            "thank_you": words,
        },
    )
    assert form.status_code == 201, form.text
    for address, size in (("a@example.com", "rất to"), ("b@example.com", "39")):
        sent = await client.post(
            f"/v1/lead-forms/{form.json()['id']}/submissions",
            json={"entered": {"email": address, "shoe_size": size}},
        )
        assert sent.is_success, sent.text
    found = (await client.get("/v1/customers", params={"q": "a@example.com"})).json()["data"]
    assert found[0]["attributes"] == {"shoe_size": "rất to"}
    misfits = (await client.get(f"/v1/custom-fields/{field['id']}/misfits")).json()["data"]
    assert {(m["value"], m["code"]) for m in misfits} == {("rất to", "number"), ("39", "number")}


@pytest.mark.capability(126)
async def test_values_are_what_segments_read(client, service, shop):
    """A segment compares what an event tells of a customer's attributes, by its JSON type."""
    await define(client, "debt", "money")
    await define(client, "level", "enum", options=options("gold", "tin"))
    await define(client, "met_on", "date")
    await add(client, debt="1250000", level="gold", met_on="2026-02-28")
    [event] = await service.told(shop, "customer.created")
    told = {"debt": 1250000, "level": "gold", "met_on": "2026-02-28"}
    assert event["customer"]["attributes"] == told
