"""Many customers of other systems at once."""

import asyncio
from typing import Any

import httpx
import pytest

from services.customer.customers.batch_schemas import MOST_ROWS, CustomerBatchRead
from shared.ids import new_id

Json = dict[str, Any]


def row(external_id: str, **known: Any) -> Json:
    return {"source": "pos", "external_id": external_id, **known}


async def put(client: httpx.AsyncClient, *rows: Any) -> Json:
    answer = await client.post("/v1/customers:batch", json={"customers": list(rows)})
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    CustomerBatchRead.model_validate(told)
    return told


def outcomes(told: Json) -> list[str]:
    return [each["outcome"] for each in told["data"]]


async def all_of(client: httpx.AsyncClient) -> list[Json]:
    answer = await client.get("/v1/customers", params={"sort": "created_at", "limit": 200})
    found: list[Json] = answer.json()["data"]
    return found


@pytest.mark.capability(1)
async def test_each_row_is_a_customer_known_by_its_id(client: httpx.AsyncClient) -> None:
    lan, mai = row("1", name="Lan", phone="0912345678"), row("2", name="Mai", city="Huế")
    told = await put(client, lan, mai)
    assert outcomes(told) == ["created", "created"]
    assert (told["created"], told["refused"]) == (2, 0)
    people = await all_of(client)
    assert [(each["name"], each["phone"], each["city"]) for each in people] == [
        ("Lan", "+84912345678", None),
        ("Mai", None, "Huế"),
    ]
    assert [each["customer_id"] for each in told["data"]] == [each["id"] for each in people]
    again = await put(client, lan, {**mai, "city": "Vinh"}, row("2", name="Mai Anh"))
    assert outcomes(again) == ["unchanged", "updated", "updated"]
    assert [each["version"] for each in again["data"]] == [1, 2, 3]
    after = (await client.get(f"/v1/customers/{people[1]['id']}")).json()
    assert (after["name"], after["city"]) == ("Mai Anh", "Vinh")


async def test_what_is_refused_says_why_and_leaves_nothing(
    client: httpx.AsyncClient, service: Any, shop: Any
) -> None:
    told = await put(
        client,
        row("1", name="Lan"),
        row("2", name="Mai", phone="123"),
        row("3", name="Na", email="na", gender="x"),
        "Bi",
        row("5", name="Tú", owner_id=str(new_id())),
        row("6", name="An", tags=["VIP"]),
    )
    assert outcomes(told) == [
        *("created", "refused", "refused", "refused", "refused", "created"),
    ]
    assert (told["created"], told["refused"]) == (2, 4)
    faults = [
        (problem["status"], [(fault["pointer"], fault["code"]) for fault in problem["errors"]])
        for each in told["data"]
        if (problem := each["problem"]) is not None
    ]
    assert faults == [
        (422, [("/body/customers/1/phone", "phone")]),
        (
            422,
            [
                ("/body/customers/2/email", "value_error"),
                ("/body/customers/2/gender", "literal_error"),
            ],
        ),
        (422, [("/body/customers/3", "model_attributes_type")]),
        (422, [("/body/customers/4/owner_id", "unknown_staff")]),
    ]
    assert [each["name"] for each in await all_of(client)] == ["Lan", "An"]
    created = await service.told(shop, "customer.created")
    assert [each["customer"]["name"] for each in created] == ["Lan", "An"]
    # What was refused may come again.
    assert outcomes(await put(client, row("2", name="Mai"))) == ["created"]


async def test_a_verified_address_leads_to_who_has_it_within_a_batch_too(
    client: httpx.AsyncClient,
) -> None:
    known = {"email": "lan@example.com", "email_verified": True}
    told = await put(client, row("1", name="Lan", **known), row("2", city="Huế", **known))
    assert outcomes(told) == ["created", "updated"]
    [lan] = await all_of(client)
    assert (lan["name"], lan["city"]) == ("Lan", "Huế")


async def test_nothing_of_a_refused_row_comes_with_a_later_one(client: httpx.AsyncClient) -> None:
    card = {"key": "card", "type": "text", "unique": True, "label": {"vi": "Thẻ"}}
    assert (await client.post("/v1/custom-fields", json=card)).status_code == 201
    await put(client, row("1", name="Lan"), row("2", name="Mai", attributes={"card": "X"}))
    told = await put(client, row("1", name="Bi", attributes={"card": "X"}), row("1", city="Huế"))
    assert outcomes(told) == ["refused", "updated"]
    [fault] = told["data"][0]["problem"]["errors"]
    assert (fault["pointer"], fault["code"]) == ("/body/customers/0/attributes/card", "not_unique")
    [lan, _] = await all_of(client)
    assert (lan["name"], lan["city"], lan["attributes"]) == ("Lan", "Huế", {})


@pytest.mark.parametrize("rows", [[], [row(str(n)) for n in range(MOST_ROWS + 1)]])
async def test_a_batch_has_one_row_at_least_and_a_thousand_at_most(
    client: httpx.AsyncClient, rows: list[Json]
) -> None:
    answer = await client.post("/v1/customers:batch", json={"customers": rows})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/body/customers"


async def test_batches_at_once_about_the_same_people_lose_nothing(
    client: httpx.AsyncClient,
) -> None:
    rows = [row(str(n), name=f"Khách {n}") for n in range(30)]
    told = await asyncio.gather(put(client, *rows), put(client, *reversed(rows)))
    assert sum(each["created"] for each in told) == 30
    assert sum(each["refused"] for each in told) == 0
    assert len(await all_of(client)) == 30
