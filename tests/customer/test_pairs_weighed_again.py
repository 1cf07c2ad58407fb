"""An open pair says what speaks for it now, whichever way a customer was changed."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from services.customer.jobs import build_job_kinds
from shared.contracts.gateway import (
    PlatformAddress,
    PlatformIdentity,
    PlatformPrivacyRequested,
)
from shared.jobs.runner import JobRunner
from tests.customer.merging import Merging
from tests.customer.test_retention import RULES, RUNS
from tests.customer.told import later, origin, platform_customer, platform_order
from tests.support.job_part import nobody

NAME, PHONE, BORN = "Nguyễn Thị Lan", "0912345678", "1990-02-28"
HOME = {"street": "12 Lê Lợi", "ward": "Phú Nhuận", "province": "Huế", "country": "VN"}
SCOPES = tuple(
    f"{resource}:{verb}"
    for resource in ("customers", "duplicates", "jobs", "privacy", "retention", "settings")
    for verb in ("read", "write")
)


@pytest.fixture
async def client(service, shop):
    async with service.client(shop, *SCOPES) as client:
        yield client


@pytest.fixture
def people(client) -> Merging:
    return Merging(client)


@pytest.fixture
def deliver(service, shop):
    async def delivered(*events):
        await service.receive(shop, "gateway", events)

    return delivered


@pytest.fixture
def work(service, shop):
    """Does the jobs that wait."""

    async def done() -> None:
        kinds = build_job_kinds(service.context)
        await JobRunner(units=service.context.units, kinds=kinds, wake=nobody).go_on(shop.hex)

    return done


@pytest.fixture
def pairs(client):
    """The open pairs: of each the score and the reasons."""

    async def read() -> list[tuple[int, set[str]]]:
        listed = (await client.get("/v1/duplicates")).json()["data"]
        return [(pair["score"], set(pair["reasons"])) for pair in listed]

    return read


def tell(**said: Any):
    """Shopify tells of its customer 7."""
    return platform_customer("7", **{"name": NAME, "phone": PHONE, **said})


@pytest.fixture
async def on_shopify(deliver, people, client, pairs) -> dict[str, Any]:
    """Shopify's customer 7, who has their number in common with a customer of the till."""
    await deliver(tell(name=None))
    [customer] = (await client.get("/v1/customers")).json()["data"]
    await people.make(name=NAME, phone=PHONE, birth_date=BORN, gender="female")
    assert await pairs() == [(40, {"same_phone_claimed"})]
    return customer


async def test_a_delivery_of_a_platform_makes_a_pair_stronger_and_weaker(
    on_shopify, deliver, pairs
):
    await deliver(tell(birth_date=BORN, changed_at=later(hours=1)))
    [(stronger, reasons)] = await pairs()
    assert stronger > 40
    assert reasons == {"same_phone_claimed", "same_name", "same_birth_date"}
    await deliver(tell(birth_date="1971-11-03", changed_at=later(hours=2)))
    [(weaker, reasons)] = await pairs()
    assert weaker < stronger
    assert "same_birth_date" not in reasons
    await deliver(tell(name="Trần Văn Bảo", changed_at=later(hours=3)))
    [(least, reasons)] = await pairs()
    assert (least <= 15, reasons) == (True, {"same_phone_claimed", "different_birth_date"})


async def test_an_order_that_tells_more_of_its_buyer_makes_a_pair_stronger(
    on_shopify, client, deliver, pairs
):
    buyer = PlatformIdentity(external_id="7", birth_date=BORN)
    await deliver(platform_order("1", buyer=buyer))
    [(score, reasons)] = await pairs()
    assert (score > 40, "same_birth_date" in reasons) == (True, True)
    [pair] = (await client.get("/v1/duplicates")).json()["data"]
    # An order that tells nothing new of anybody leaves pairs as they are.
    await deliver(platform_order("2", buyer=buyer))
    assert (await client.get("/v1/duplicates")).json()["data"] == [pair]


async def test_a_further_number_that_a_platform_knows_counts(on_shopify, people, deliver, pairs):
    await people.make(name=NAME, phone="0987000111", birth_date=BORN)
    await deliver(tell(phone="0987000111", changed_at=later(hours=1)))
    found = await pairs()
    assert len(found) == 2
    assert sum("same_phone_claimed" in reasons for _, reasons in found) == 2


async def test_an_address_told_by_a_platform_or_by_staff_counts(
    on_shopify, people, client, deliver, pairs
):
    other = (await client.get("/v1/customers", params={"source": "pos"})).json()["data"][0]
    path = f"/v1/customers/{other['id']}/addresses"
    made = await client.post(path, json=HOME)
    assert made.status_code == 201, made.text
    told = PlatformAddress(external_id="1", is_default=True, **HOME)
    await deliver(tell(addresses=(told,), changed_at=later(hours=1)))
    [(_, reasons)] = await pairs()
    assert "same_address" in reasons
    moved = await client.patch(f"{path}/{made.json()['id']}", json={"street": "99 Hai Bà Trưng"})
    assert moved.status_code == 200, moved.text
    [(_, reasons)] = await pairs()
    assert "same_address" not in reasons


async def test_what_a_source_is_believed_no_more_says_nothing(client, pairs, people, work):
    for source, name in (("erp", "Trần Văn Bảo"), ("web", NAME)):
        body = {"email": "lan@example.com", "email_verified": True, "phone": PHONE, "name": name}
        told = await client.put(f"/v1/customers/by-external-id/{source}/1", json=body)
        assert told.status_code in {200, 201}, told.text
    other = await people.make(name=NAME, phone=PHONE)
    await client.patch(f"/v1/customers/{other['id']}", json={"gender": "female"})
    [(_, reasons)] = await pairs()
    assert "same_name" in reasons
    decided = await client.put("/v1/customers/source-priority", json={"sources": ["erp"]})
    assert decided.status_code == 200, decided.text
    started = await client.post("/v1/customers/source-priority/applications")
    assert started.status_code == 202, started.text
    await work()
    [(score, reasons)] = await pairs()
    assert (score <= 15, reasons) == (True, {"same_phone_claimed"})


async def test_what_a_merge_adds_goes_when_it_is_undone(people, pairs):
    an = await people.make(name=NAME, phone=PHONE)
    twin = await people.make(name=NAME, birth_date=BORN, email="lan@example.com")
    await people.make(name=NAME, phone=PHONE, birth_date=BORN, email="lan@example.com")
    assert len(await pairs()) == 2
    merge = await people.merge(an, twin)
    merged = await pairs()
    assert [reasons >= {"same_phone_claimed", "same_birth_date"} for _, reasons in merged] == [
        True,
        True,
    ]
    await people.undo(merge)
    apart = sorted(await pairs(), key=lambda pair: "same_phone_claimed" in pair[1])
    (_, of_twin), (_, of_an) = apart
    assert "same_phone_claimed" not in of_twin
    assert of_an.isdisjoint({"same_birth_date", "same_email_claimed"})


async def test_a_number_that_staff_add_raises_what_is_known(people, client, pairs):
    one = await people.make(name=NAME, phone=PHONE)
    await people.make(name=NAME, phone=PHONE, email="lan@example.com")
    said = {"kind": "email", "value": "lan@example.com"}
    added = await client.post(f"/v1/customers/{one['id']}/identities", json=said)
    assert added.status_code == 201, added.text
    [(score, reasons)] = await pairs()
    assert score > 40
    assert reasons >= {"same_phone_claimed", "same_email_claimed"}


async def test_a_number_of_more_than_may_be_one_person_speaks_for_nobody(people, client):
    all_of_them = [await people.make(name="Mai", phone=PHONE) for _ in range(22)]
    one, other, last = all_of_them[0], all_of_them[1], all_of_them[-1]
    assert await _pairs_of(client, last) == []
    assert len(await _pairs_of(client, one)) == 19
    for customer in (one, other):
        await client.patch(f"/v1/customers/{customer['id']}", json={"name": NAME})
    assert await _pairs_of(client, one) == []


async def _pairs_of(client, customer) -> list[dict[str, Any]]:
    asked = {"customer_id": customer["id"], "limit": 100}
    return (await client.get("/v1/duplicates", params=asked)).json()["data"]


async def test_who_is_erased_is_in_no_pair(on_shopify, client, pairs):
    asked = {"kind": "erasure", "customer_id": on_shopify["id"]}
    made = (await client.post("/v1/privacy-requests", json=asked)).json()
    where = f"/v1/privacy-requests/{made['id']}"
    await client.post(f"{where}/identity-check", json={"method": "in_person"})
    assert (await client.post(f"{where}/execution")).status_code == 202
    assert await pairs() == []


async def test_what_a_platform_has_erased_speaks_for_nobody(on_shopify, client, deliver, pairs):
    # Somebody else knows them, too: only what Shopify told goes.
    told = {"name": NAME, "email": "lan@example.com", "email_verified": True}
    linked = await client.patch(f"/v1/customers/{on_shopify['id']}", json=told)
    assert linked.status_code == 200, linked.text
    known = platform_customer("12", source="woocommerce", **told, changed_at=later(hours=1))
    await deliver(known)
    [(_, reasons)] = await pairs()
    assert "same_phone_claimed" in reasons
    event = PlatformPrivacyRequested(
        origin=origin(topic="customers/redact"),
        kind="redact",
        customer=PlatformIdentity(external_id="7"),
        orders=(),
    )
    await deliver((event.origin.delivery_id, event))
    after = (await client.get(f"/v1/customers/{on_shopify['id']}")).json()
    assert (after["phone"], after["erased_at"]) == (None, None)
    assert all("same_phone_claimed" not in reasons for _, reasons in await pairs())


async def test_what_is_forgotten_by_age_speaks_for_nobody(
    people, client, pairs, service, shop, work
):
    for source in ("pos", "web"):
        await people.make(name=NAME, phone=PHONE, birth_date=BORN, source=source)
    [one, other] = (await client.get("/v1/customers")).json()["data"]
    await client.patch(f"/v1/customers/{one['id']}", json={"gender": "female"})
    [(_, reasons)] = await pairs()
    assert "same_birth_date" in reasons
    body = {
        "name": "Quá hạn",
        "data": ["birth_date"],
        "clock": "last_activity",
        "period": "P1D",
        "active": True,
    }
    assert (await client.post(RULES, json=body)).status_code == 201
    await _make_old(service, shop)
    assert (await client.post(RUNS, json={})).status_code == 202
    await work()
    assert (await people.read(other))["birth_date"] is None
    [(_, reasons)] = await pairs()
    assert reasons >= {"same_phone_claimed"}
    assert "same_birth_date" not in reasons


async def _make_old(service, shop) -> None:
    async with service.context.units.begin(shop) as uow:
        statement = text(
            "UPDATE customer.customer SET created_at = :then WHERE tenant_id = :tenant"
        )
        then = datetime(2020, 1, 1, tzinfo=UTC)
        await uow.execute(statement, {"tenant": shop, "then": then})
        await uow.commit()


async def test_two_who_are_changed_at_once_are_weighed_as_both_are_then(people, client, pairs):
    one = await people.make(name="Bảo", phone=PHONE)
    other = await people.make(name="Hoa", phone=PHONE)
    for number in range(6):
        said = {"name": f"{NAME} {['Mai', 'Hoa', 'Cúc'][number % 3]}", "birth_date": BORN}
        both = await asyncio.gather(
            *(client.patch(f"/v1/customers/{each['id']}", json=said) for each in (one, other))
        )
        assert [answer.status_code for answer in both] == [200, 200]
        [(score, reasons)] = await pairs()
        assert (score > 40, reasons >= {"same_name", "same_birth_date"}) == (True, True)
        apart = [
            client.patch(f"/v1/customers/{one['id']}", json={"name": "Bảo", "birth_date": None}),
            client.patch(f"/v1/customers/{other['id']}", json={"name": "Hoa"}),
        ]
        await asyncio.gather(*apart)
        [(score, reasons)] = await pairs()
        assert (score <= 15, reasons) == (True, {"same_phone_claimed"})


async def test_a_pair_that_was_decided_is_not_weighed(on_shopify, client, deliver):
    [pair] = (await client.get("/v1/duplicates")).json()["data"]
    path = f"/v1/duplicates/{pair['id']}"
    decided = (await client.patch(path, json={"status": "dismissed"})).json()
    await deliver(tell(birth_date=BORN, changed_at=later(hours=1)))
    assert (await client.get(path)).json() == decided
