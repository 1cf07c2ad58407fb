"""What platforms have erased: what only they told goes, what others told stays."""

from typing import Any

import pytest
from sqlalchemy import select

from services.customer.jobs import build_job_kinds
from services.customer.merges.models import customer_merge
from shared.contracts.gateway import (
    PlatformAddress,
    PlatformIdentity,
    PlatformPrivacyRequested,
    PlatformShopRedacted,
)
from shared.contracts.privacy import ErasureConfirmed
from shared.jobs.runner import JobRunner
from tests.customer.merging import Merging
from tests.customer.told import SHOPIFY, later, origin, platform_customer, platform_order

HOME = PlatformAddress(
    external_id="60", street="12 Lê Lợi", province="Huế", country="VN", is_default=True
)


@pytest.fixture
def deliver(service, shop):
    async def delivered(*events):
        await service.receive(shop, "gateway", events)

    return delivered


@pytest.fixture
def read(client):
    async def got(path, **params):
        answer = await client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return got


@pytest.fixture
def work(service, shop):
    """Does the jobs that wait."""

    async def nobody(_tenant) -> None:
        return None

    async def done() -> None:
        kinds = build_job_kinds(service.context)
        runner = JobRunner(units=service.context.units, kinds=kinds, wake=nobody)
        await runner.go_on(shop.hex)

    return done


def redact(external_id="7", *, orders=(), **said: Any):
    event = PlatformPrivacyRequested(
        origin=origin(topic="customers/redact"),
        kind="redact",
        customer=PlatformIdentity(external_id=external_id, **said),
        orders=orders,
    )
    return event.origin.delivery_id, event


def lan(**said: Any):
    return platform_customer("7", name="Lan", phone="0912345678", addresses=(HOME,), **said)


async def test_who_is_known_by_the_platform_alone_is_erased_at_once(deliver, read, service, shop):
    await deliver(lan(), platform_order("1", buyer=PlatformIdentity(external_id="7")))
    await deliver(redact())
    [request] = (await read("/v1/privacy-requests"))["data"]
    assert (request["kind"], request["status"], request["channel"]) == (
        "erasure",
        "in_progress",
        "platform",
    )
    assert request["due_at"] is not None
    found = await read(f"/v1/customers/{request['customer_id']}")
    assert (found["name"], found["orders_count"], found["erased_at"] is not None) == (None, 1, True)
    assert len(await service.told(shop, "customer.erased")) == 1


async def test_what_others_told_stays(deliver, read, client, service, shop):
    await deliver(lan(email="lan@example.com", email_verified=True, city="Huế"))
    await deliver(
        platform_customer(
            "12",
            source="woocommerce",
            name="Nguyễn Thị Lan",
            email="lan@example.com",
            email_verified=True,
            changed_at=later(days=-1),
        )
    )
    [customer] = (await read("/v1/customers"))["data"]
    assert (customer["name"], customer["city"]) == ("Lan", "Huế")
    buyer = PlatformIdentity(external_id="7")
    await deliver(platform_order("1", buyer=buyer, shipping_address=HOME, note="Gọi trước"))
    await deliver(redact())

    [request] = (await read("/v1/privacy-requests"))["data"]
    assert (request["status"], request["outcome"]) == (
        "completed",
        "What other sources told stays",
    )
    after = await read(f"/v1/customers/{customer['id']}")
    assert (after["name"], after["email"]) == ("Nguyễn Thị Lan", "lan@example.com")
    assert (after["phone"], after["city"], after["address"], after["erased_at"]) == (
        None,
        None,
        None,
        None,
    )
    assert after["orders_count"] == 1
    known = (await read(f"/v1/customers/{customer['id']}/identities"))["data"]
    assert {(each["kind"], each["value"]) for each in known} == {
        ("platform_id", "12"),
        ("email", "lan@example.com"),
    }
    assert (await read(f"/v1/customers/{customer['id']}/addresses"))["data"] == []
    [order] = (await read(f"/v1/customers/{customer['id']}/orders"))["data"]
    whole = await read(f"/v1/orders/{order['id']}")
    assert (whole["note"], whole["shipping_address"]) == (None, None)
    [told] = await service.told(shop, "customer.source_forgotten")
    assert told["source"] == f"shopify:{SHOPIFY}"
    assert "Lan" not in str(told)

    # What comes late of the account brings nothing of it back.
    await deliver(lan(changed_at=later(days=2)))
    assert (await read(f"/v1/customers/{customer['id']}"))["phone"] is None
    assert len((await read("/v1/customers"))["data"]) == 1


AT_THE_TILL = {"source": "pos", "external_ids": [{"source": "pos", "external_id": "till-1"}]}


@pytest.mark.parametrize("stays", ["till", "platform"])
async def test_no_record_and_no_merge_gives_it_back(deliver, read, client, service, shop, stays):
    people = Merging(client)
    till = await people.make(name="Nguyễn Thị Lan", locale="vi", **AT_THE_TILL)
    await deliver(lan(email="lan@example.com", city="Huế"))
    platform = next(each for each in (await read("/v1/customers"))["data"] if each["city"])
    pair = [till, platform] if stays == "till" else [platform, till]
    merge = await people.merge(*pair, fields={"name": till["id"]})
    one = await people.read(till)
    assert (one["name"], one["phone"], one["city"]) == ("Nguyễn Thị Lan", "+84912345678", "Huế")

    await deliver(redact())
    one = await people.read(till)
    known = ("name", "locale", "phone", "email", "city")
    assert [one[name] for name in known] == ["Nguyễn Thị Lan", "vi", None, None, None]
    [ledger] = (await read("/v1/merges"))["data"]
    async with service.context.units.begin(shop) as uow:
        [kept] = await uow.rows(select(customer_merge).where(customer_merge.c.tenant_id == shop))
    for written in (str(ledger), str(kept)):
        assert not [
            word for word in ("912345678", "lan@example", "Huế", "'Lan'") if word in written
        ]
    told = await service.told(shop, "customer.updated")
    last = {each["customer"]["customer_id"]: each["customer"] for each in told}
    assert last[platform["id"]]["phone"] is None

    await people.undo(merge)
    of_till, of_platform = await people.read(till), await people.read(platform)
    assert [of_till[name] for name in known] == ["Nguyễn Thị Lan", "vi", None, None, None]
    assert [of_platform[name] for name in known] == [None] * 5


async def test_what_staff_wrote_is_not_the_platforms(deliver, read, client):
    await deliver(lan())
    [customer] = (await read("/v1/customers"))["data"]
    changed = await client.patch(f"/v1/customers/{customer['id']}", json={"locale": "vi"})
    assert changed.status_code == 200, changed.text
    await deliver(redact())
    after = await read(f"/v1/customers/{customer['id']}")
    assert (after["name"], after["locale"], after["erased_at"]) == (None, "vi", None)


async def test_a_legal_hold_keeps_them_and_the_request_open(deliver, read, client, service, shop):
    await deliver(lan())
    [customer] = (await read("/v1/customers"))["data"]
    hold = {"customer_id": customer["id"], "reason": "Tranh chấp"}
    assert (await client.post("/v1/legal-holds", json=hold)).status_code == 201
    await deliver(redact())
    [request] = (await read("/v1/privacy-requests"))["data"]
    assert request["status"] == "received"
    assert (await read(f"/v1/customers/{customer['id']}"))["name"] == "Lan"
    assert await emptied(service, shop) == set()


async def test_a_guest_is_known_by_their_order(deliver, read):
    await deliver(platform_order("5", buyer=PlatformIdentity(name="Khách", email="k@example.com")))
    await deliver(redact(None, email="k@example.com", orders=("5",)))
    [request] = (await read("/v1/privacy-requests"))["data"]
    assert (request["kind"], request["status"]) == ("erasure", "in_progress")


async def emptied(service, shop) -> set[str]:
    """The deliveries that are not to be kept."""
    told = await service.told(shop, "customer.erased_person_delivered")
    return {delivery_id for event in told for delivery_id in event["delivery_ids"]}


async def test_what_asked_for_it_is_not_kept_either(deliver, read, service, shop):
    unknown = redact(None, email="nobody@example.com")
    asks = PlatformPrivacyRequested(
        origin=origin(topic="customers/data_request"),
        kind="data_request",
        customer=PlatformIdentity(email="nobody@example.com"),
    )
    await deliver(unknown, (asks.origin.delivery_id, asks))
    assert {each["status"] for each in (await read("/v1/privacy-requests"))["data"]} == {
        "completed"
    }
    assert await emptied(service, shop) == {str(unknown[0])}


async def test_it_is_kept_until_the_erasure_is_done(deliver, read, client, service, shop):
    await deliver(platform_order("5", buyer=PlatformIdentity(name="Khách", email="k@example.com")))
    guest = redact(None, email="k@example.com", orders=("5",))
    await deliver(guest)
    [request] = (await read("/v1/privacy-requests"))["data"]
    assert (request["status"], await emptied(service, shop)) == ("in_progress", set())
    [erased] = await service.told(shop, "customer.erased")
    for part in ("customer", "gateway", "messaging", "segmentation", "support_ticket"):
        done = ErasureConfirmed(
            erasure_id=erased["erasure_id"], part=part, confirmed_at=later(), tables=()
        )
        await service.receive(shop, part, [(done.erasure_id, done)])
    [request] = (await read("/v1/privacy-requests"))["data"]
    assert (request["status"], await emptied(service, shop)) == ("completed", {str(guest[0])})


async def test_a_shop_that_left_is_forgotten_and_nobody_else(deliver, read, work):
    await deliver(
        lan(),
        platform_order("1", buyer=PlatformIdentity(name="Khách")),
        *(platform_customer(str(n), name=f"Khách {n}") for n in range(100, 112)),
    )
    await deliver(
        platform_customer("12", source="woocommerce", name="Minh", email="minh@example.com")
    )
    left = PlatformShopRedacted(origin=origin(topic="shop/redact"))
    await deliver((SHOPIFY, left), (SHOPIFY, left))
    [request] = (await read("/v1/privacy-requests"))["data"]
    assert (request["kind"], request["status"], request["customer_id"]) == (
        "erasure",
        "in_progress",
        None,
    )
    await work()
    [request] = (await read("/v1/privacy-requests"))["data"]
    assert request["status"] == "completed"
    assert request["outcome"].startswith("14 erased; 0 known to others")
    standing = (await read("/v1/customers"))["data"]
    assert [each["name"] for each in standing if each["name"]] == ["Minh"]


async def test_a_job_that_is_stopped_ends_the_request(deliver, read, work, service, shop):
    await deliver(lan())
    left = PlatformShopRedacted(origin=origin(topic="shop/redact"))
    await deliver((SHOPIFY, left))
    [request] = (await read("/v1/privacy-requests"))["data"]
    async with service.client(shop, "jobs:read", "jobs:write") as operator:
        answer = await operator.post(f"/v1/jobs/{request['job_id']}/cancel")
        assert answer.is_success, answer.text
    await work()
    [request] = (await read("/v1/privacy-requests"))["data"]
    assert request["status"] == "cancelled"
    [customer] = (await read("/v1/customers"))["data"]
    assert customer["name"] == "Lan"
