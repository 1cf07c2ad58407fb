"""Who said what of a customer, and whom the shop believes."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from services.customer.jobs import build_job_kinds
from shared.contracts.gateway import PlatformIdentity
from shared.ids import new_id
from shared.jobs.runner import JobRunner
from shared.security.principal import PrincipalKind, Visibility
from tests.customer.told import SHOPIFY, WOO, later, platform_customer, platform_order

PRIORITY = "/v1/customers/source-priority"
FROM_SHOPIFY, FROM_WOO = f"shopify:{SHOPIFY}", f"woocommerce:{WOO}"


@pytest.fixture
def lan() -> str:
    return str(new_id())


@pytest.fixture
async def staff(service, shop, lan):
    scopes = ("customers:read", "customers:write")
    async with service.client(shop, *scopes, kind=PrincipalKind.STAFF, actor_id=lan) as client:
        yield client


@pytest.fixture
def deliver(service, shop):
    async def delivered(*events):
        await service.receive(shop, "gateway", events)

    return delivered


@pytest.fixture
def upsert(client: httpx.AsyncClient):
    """Has a system tell of its customer 1; all of them have the same verified address."""

    async def told(source: str, **said: Any) -> dict[str, Any]:
        body = {"email": "duc@example.com", "email_verified": True, **said}
        answer = await client.put(f"/v1/customers/by-external-id/{source}/1", json=body)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()

    return told


@pytest.fixture
def believe(client: httpx.AsyncClient):
    async def said(**priority: Any) -> dict[str, Any]:
        answer = await client.put(PRIORITY, json=priority)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return said


@pytest.fixture
def only(client: httpx.AsyncClient):
    async def read() -> dict[str, Any]:
        [one] = (await client.get("/v1/customers")).json()["data"]
        return one

    return read


async def said_of(client: httpx.AsyncClient, customer: dict[str, Any]) -> dict[str, Any]:
    answer = await client.get(f"/v1/customers/{customer['id']}/provenance")
    assert answer.status_code == 200, answer.text
    return {field["field"]: field for field in answer.json()["data"]}


def sources(field: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(say["source"], say["value"]) for say in (field, *field["others"])]


async def test_everything_was_said_by_whom_the_customer_came_from(client, staff, lan):
    body = {"name": "Đức", "city": "Huế", "rating": 4, "attributes": {"size": 39}}
    answer = await client.post("/v1/customers", json={**body, "source": "pos"})
    told = await said_of(client, answer.json())
    assert set(told) == {"name", "city", "rating", "attributes.size"}
    assert {(say["source"], say["at"]) for say in told.values()} == {
        ("pos", answer.json()["created_at"])
    }
    by_hand = (await staff.post("/v1/customers", json={**body, "source": "pos"})).json()
    told = await said_of(client, by_hand)
    assert {(say["source"], say["staff_id"]) for say in told.values()} == {("staff", lan)}


async def test_who_repeats_themselves_says_nothing_newer_than_others_have(
    deliver, only, client, believe
):
    async def say(source, city, day):
        await deliver(
            platform_customer("7" if source == "woocommerce" else "1", source=source,
                              email="duc@example.com", email_verified=True, name="Đức", city=city,
                              changed_at=later(days=day)),
        )  # fmt: skip
        return (await only())["city"]

    assert await say("shopify", "Vinh", 1) == "Vinh"
    assert await say("woocommerce", "Đà Lạt", 2) == "Đà Lạt"
    assert await say("shopify", "Vinh", 3) == "Đà Lạt"
    told = (await said_of(client, await only()))["city"]
    assert sources(told) == [(FROM_WOO, "Đà Lạt"), (FROM_SHOPIFY, "Vinh")]
    # Whom to believe is decided anew all the same, and what is new in it counts.
    await believe(sources=["shopify", "woocommerce"])
    assert await say("shopify", "Vinh", 4) == "Vinh"
    await believe(sources=["staff"])
    assert await say("woocommerce", "Huế", 5) == "Huế"


@pytest.mark.capability(124)
async def test_each_field_knows_who_said_it_when_and_what_others_hold_it_to_be(
    client, staff, deliver, only, lan, believe
):
    await deliver(
        platform_customer(name="Duc Nguyen", email="duc@example.com", email_verified=True,
                          city="Hue", changed_at=later(days=1)),
        platform_customer("7", source="woocommerce", name="Nguyễn Đức", email="duc@example.com",
                          email_verified=True, changed_at=later(days=2)),
    )  # fmt: skip
    customer = await only()
    assert customer["name"] == "Nguyễn Đức", "the newest says"
    told = await said_of(client, customer)
    assert sources(told["name"]) == [(FROM_WOO, "Nguyễn Đức"), (FROM_SHOPIFY, "Duc Nguyen")]
    assert sources(told["city"]) == [(FROM_SHOPIFY, "Hue")]
    assert told["city"]["at"] == "2026-03-02T03:00:00Z"
    # A person is believed before machines, unless the shop says otherwise.
    changed = {"name": "Nguyễn Văn Đức", "tax_code": "0312345678"}
    await staff.patch(f"/v1/customers/{customer['id']}", json=changed)
    await deliver(platform_customer(name="Duc N.", changed_at=later(days=900)))
    assert (await only())["name"] == "Nguyễn Văn Đức"
    name = (await said_of(client, customer))["name"]
    assert (name["source"], name["staff_id"]) == ("staff", lan)
    assert [(o["source"], o["value"], o["overruled"]) for o in name["others"]] == [
        (FROM_SHOPIFY, "Duc N.", False),
        (FROM_WOO, "Nguyễn Đức", True),
    ]
    await believe(sources=["woocommerce", "staff"], fields={"city": ["shopify"]})
    await deliver(
        platform_customer("7", source="woocommerce", name="Nguyễn Đức", city="Huế",
                          changed_at=later(days=3)),
    )  # fmt: skip
    customer = await only()
    assert (customer["name"], customer["city"]) == ("Nguyễn Đức", "Hue")


async def test_what_is_said_in_vain_is_no_change_of_the_customer(
    upsert, believe, service, shop, client
):
    await believe(sources=["erp"])
    before = await upsert("erp", name="Nguyễn Văn Đức")
    after = await upsert("pos", name="Duc")
    assert after["version"] == before["version"]
    assert await service.told(shop, "customer.updated") == []
    assert sources((await said_of(client, after))["name"]) == [
        ("erp", "Nguyễn Văn Đức"),
        ("pos", "Duc"),
    ]


async def test_when_the_stronger_source_has_nothing_to_say_the_next_one_counts(
    upsert, believe, client
):
    await believe(fields={"city": ["erp", "pos"], "attributes.size": ["pos"]})
    await upsert("web", city="Hà Nội", attributes={"size": 38})
    await upsert("pos", city="Huế", attributes={"size": 39})
    await upsert("erp", city="Vinh", attributes={"size": 40, "colour": "xanh"})
    kept = await upsert("web", city="Đà Nẵng", attributes={"size": 37})
    assert (kept["city"], kept["attributes"]) == ("Vinh", {"size": 39, "colour": "xanh"})
    assert (await upsert("erp", city=None))["city"] == "Huế"
    assert (await upsert("pos", city=None))["city"] == "Đà Nẵng"
    assert (await upsert("web", city=None))["city"] is None
    assert (await upsert("pos", attributes=None))["attributes"]["size"] == 37


async def test_what_somebody_has_cleared_by_hand_stays_so(upsert, client, staff):
    customer = await upsert("pos", city="Huế")
    await staff.patch(f"/v1/customers/{customer['id']}", json={"city": None})
    assert (await upsert("pos", city="Huế"))["city"] is None
    answer = await client.patch(f"/v1/customers/{customer['id']}", json={"city": "Vinh"})
    assert answer.json()["city"] == "Vinh", "a change of one customer means this field"


async def test_an_older_state_of_a_source_changes_nothing(deliver, only, client):
    await deliver(platform_customer(city="Huế", changed_at=later(days=2)))
    await deliver(platform_customer(city="Vinh", changed_at=later(days=1)))
    customer = await only()
    assert customer["city"] == "Huế"
    assert sources((await said_of(client, customer))["city"]) == [(FROM_SHOPIFY, "Huế")]


async def test_an_order_fills_gaps_and_says_so(deliver, only, client):
    buyer = PlatformIdentity(external_id="207119551", name="Nobody", city="Huế")
    await deliver(platform_customer(name="Đức"), platform_order(buyer=buyer))
    told = await said_of(client, await only())
    assert sources(told["name"]) == [(FROM_SHOPIFY, "Đức")]
    assert sources(told["city"]) == [(FROM_SHOPIFY, "Huế")]


async def test_a_form_sent_back_says_only_what_is_new_in_it(upsert, staff, client):
    customer = await upsert("pos", name="Đức", city="Huế")
    body = {"name": "Đức", "city": "Vinh"}
    await staff.patch(f"/v1/customers/{customer['id']}", json=body)
    told = await said_of(client, customer)
    assert (told["name"]["source"], told["city"]["source"]) == ("pos", "staff")


async def test_the_primary_address_was_said_by_whoever_gave_it(staff, client, lan):
    customer = (await client.post("/v1/customers", json={"name": "Đức"})).json()
    path = f"/v1/customers/{customer['id']}/addresses"
    given = (await staff.post(path, json={"street": "12 Lê Lợi", "province": "Huế"})).json()
    told = await said_of(client, customer)
    assert told["address"]["staff_id"] == told["province"]["staff_id"] == lan
    assert told["address"]["value"]["street"] == "12 Lê Lợi"
    await staff.delete(f"{path}/{given['id']}")
    assert (await said_of(client, customer))["address"]["value"] is None


async def test_new_rules_can_be_applied_to_what_was_said_before(
    upsert, believe, client, service, shop
):
    await upsert("pos", name="Duc", birth_date="1990-02-28")
    await upsert("web", name="Đức", birth_date="1990-02-27")
    for n in range(3):
        await client.post("/v1/customers", json={"name": f"Somebody {n}"})
    await believe(sources=["pos"])
    started = await client.post(f"{PRIORITY}/applications")
    assert started.status_code == 202, started.text

    async def nobody(_tenant) -> None:
        """A wake-up that reaches nobody."""

    settings = service.context.settings.model_copy(update={"priority_page": 2})
    kinds = build_job_kinds(replace(service.context, settings=settings))
    await JobRunner(units=service.context.units, kinds=kinds, wake=nobody).sweep()
    async with service.client(shop, "jobs:read") as watcher:
        job = (await watcher.get(started.headers["location"])).json()
    assert (job["status"], job["done"]) == ("succeeded", 4)
    customer = await upsert("pos")
    assert (customer["name"], customer["birth_date"]) == ("Duc", "1990-02-28")
    assert len(await service.told(shop, "customer.updated")) == 2


async def test_rules_are_the_shops_and_are_changed_by_one_at_a_time(client):
    before = await client.get(PRIORITY)
    assert (before.json()["sources"], before.json()["updated_at"]) == (["staff"], None)
    stale = {"if-match": before.headers["etag"]}
    first = await client.put(PRIORITY, json={"sources": ["erp", "erp"]}, headers=stale)
    assert (first.json()["sources"], first.json()["version"]) == (["erp"], 1)
    assert (await client.put(PRIORITY, json={}, headers=stale)).status_code == 412
    assert (await client.get(PRIORITY)).json()["sources"] == ["erp"]
    refused = await client.put(PRIORITY, json={"fields": {"shoe": ["erp"]}})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "unknown_field")


async def test_who_does_not_see_a_customer_does_not_see_who_said_what(client, service, shop, lan):
    customer = (
        await client.post("/v1/customers", json={"name": "Đức", "email": "duc@example.com"})
    ).json()
    path = f"/v1/customers/{customer['id']}/provenance"
    async with service.client(shop, "customers:read", sees_pii=False) as masked:
        values = {field["value"] for field in (await masked.get(path)).json()["data"]}
    assert values == {"***"}
    theirs = (await client.get(f"/v1/customers/{new_id()}/provenance")).json()
    assert theirs["code"] == "customer_not_found"
    async with service.client(
        shop,
        *("customers:read", "customers:write", "settings:write"),
        kind=PrincipalKind.STAFF,
        actor_id=lan,
        visibility=Visibility.OWN,
    ) as limited:
        assert (await limited.get(path)).status_code == 200
        assert (await limited.post(f"{PRIORITY}/applications")).status_code == 403
