"""BigCommerce's door: its signatures, and asking the store for what its deliveries only name."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from gateway.deliveries.fetching import DeliveryFetcher
from gateway.handlers import build_handlers
from gateway.hooks.dialects import BigCommerceDialect
from shared.contracts.privacy import ErasedPersonDelivered
from tests.gateway.conftest import Shop, TestClock
from tests.gateway.fixtures import FOLDER, deliveries_of, needs_fixtures
from tests.gateway.stores import (
    STORE,
    TOKEN,
    Store,
    a_store,
    fetching,
    standard_signature,
    thin,
)
from tests.gateway.test_hooks import Sender, connect
from tests.support.harness import ServiceHarness

ORDER = {
    "id": 250,
    "customer_id": 32,
    "status": "Awaiting Fulfillment",
    "date_created": "Thu, 20 Jun 2019 16:07:08 +0000",
    "date_modified": "Thu, 20 Jun 2019 16:10:00 +0000",
    "total_inc_tax": "1008.74",
    "currency_code": "USD",
    "billing_address": {"first_name": "Jane", "last_name": "Doe", "email": "jane@example.com"},
}
CUSTOMER = {
    "id": 32,
    "email": "jane@example.com",
    "first_name": "Jane",
    "last_name": "Doe",
    "date_modified": "2026-03-01T02:15:00Z",
}


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    async with a_store() as store:
        yield store


@pytest.fixture
async def fetcher(gateway: FastAPI, store: Store) -> AsyncIterator[DeliveryFetcher]:
    async with fetching(gateway, store) as fetcher:
        yield fetcher


@pytest.fixture
async def sender(shop: Shop) -> AsyncIterator[Sender]:
    sender = await connect(shop, "bigcommerce", store=STORE, access_token=TOKEN)
    yield sender
    await sender.owner.aclose()


async def send(sender: Sender, body: bytes, **headers: str) -> httpx.Response:
    signed = standard_signature(
        sender.secret, body, at=int(time.time()), message_id=f"msg_{uuid4().hex}"
    )
    return await sender.post(body, {**signed, **headers})


@needs_fixtures
def test_the_signature_is_the_one_that_bigcommerce_makes() -> None:
    vectors = json.loads((FOLDER / "constructed" / "signed_vectors.json").read_text())
    vector = next(each for each in vectors if each["platform"] == "bigcommerce")
    at, message_id = int(vector["webhook_timestamp"]), vector["webhook_id"]
    body, secret = vector["raw_body"].encode(), vector["secret"]
    ours = standard_signature(secret, body, at=at, message_id=message_id)
    assert ours["webhook-signature"] == vector["header_value"]


def told_apart(
    headers: dict[str, str], body: bytes, *secrets: bytes, clock: TestClock | None = None
) -> bool:
    now = (clock or TestClock()).now()
    return BigCommerceDialect().is_from(secrets, headers, body, now=now)


def test_a_signature_counts_for_its_body_its_secret_and_five_minutes() -> None:
    body, now = b'{"scope":"store/order/created"}', int(time.time())
    signed = standard_signature("client-secret", body, at=now, message_id="msg_1")
    assert told_apart(signed, body, b"client-secret")
    assert told_apart(signed, body, b"new-secret", b"client-secret")
    assert not told_apart(signed, body, b"another")
    assert not told_apart(signed, body + b" ", b"client-secret")
    assert not told_apart({**signed, "webhook-id": "msg_2"}, body, b"client-secret")
    assert not told_apart({**signed, "webhook-timestamp": str(now - 1)}, body, b"client-secret")
    later = TestClock()
    later.ahead = timedelta(minutes=6)
    assert not told_apart(signed, body, b"client-secret", clock=later)
    several = f"v1,bm90IG91cnM= {signed['webhook-signature']}"
    assert told_apart({**signed, "webhook-signature": several}, body, b"client-secret")
    for nonsense in ("", "v1,", "v1a,x", "é", "x" * 10_000):
        assert not told_apart({**signed, "webhook-signature": nonsense}, body, b"client-secret")
        assert not told_apart({**signed, "webhook-timestamp": nonsense}, body, b"client-secret")


async def test_the_header_that_the_shop_has_chosen_is_as_good(sender: Sender) -> None:
    body = thin("store/order/created", {"type": "order", "id": 250})
    unsigned = {"content-type": "application/json"}
    assert (await sender.post(body, unsigned)).status_code == 401
    wrong = {**unsigned, "x-careloop-secret": "guessed"}
    assert (await sender.post(body, wrong)).status_code == 401
    right = {**unsigned, "X-Careloop-Secret": sender.secret}
    assert (await sender.post(body, right)).status_code == 200
    assert [row.status for row in await sender.kept()] == ["fetching"]


async def test_an_order_is_fetched_and_told(
    sender: Sender, store: Store, fetcher: DeliveryFetcher
) -> None:
    products = [
        {"id": n, "product_id": n, "name": f"Mug {n}", "quantity": 1, "total_inc_tax": "3.90"}
        for n in range(1, 261)
    ]
    refunds = {"data": [{"id": 7, "total_amount": 12.5, "reason": "Broken"}]}
    store.has_order(ORDER, products=products, shippingaddresses=[{"id": 1, "city": "Austin"}])
    store.answers["/v3/orders/250/payment_actions/refunds"] = refunds
    body = thin("store/order/created", {"type": "order", "id": 250})
    for _ in range(2):
        assert (await send(sender, body)).status_code == 200
    assert len(await sender.kept()) == 1
    assert await sender.told() == []

    await fetcher.fetch(sender.tenant_id)

    [(kind, event)] = await sender.told()
    order = event["order"]
    assert kind == "order_received"
    assert (order["external_id"], order["total_minor"], len(order["lines"])) == ("250", 100874, 260)
    assert order["shipping_address"]["city"] == "Austin"
    assert order["refunds"] == [
        {**order["refunds"][0], "external_id": "7", "amount_minor": 1250, "reason": "Broken"}
    ]
    [shown] = await sender.listed()
    assert (shown["status"], shown["object_kind"], shown["object_id"]) == (
        "processed",
        "order",
        "250",
    )
    assert shown["triggered_at"] == "2026-03-01T01:55:00Z"


async def test_a_customer_is_told_with_all_addresses(
    sender: Sender, store: Store, fetcher: DeliveryFetcher
) -> None:
    addresses = [
        {"id": 60 + n, "address1": f"{n} East Street", "city": "Austin", "country_code": "US"}
        for n in range(3)
    ]
    store.has_customer(CUSTOMER, addresses)
    await send(sender, thin("store/customer/updated", {"type": "customer", "id": 32}))
    await send(
        sender,
        thin(
            "store/customer/address/created",
            {"type": "customer", "id": 60, "address": {"customer_id": 32}},
        ),
    )
    await fetcher.fetch(sender.tenant_id)
    first, second = [event["customer"] for _, event in await sender.told()]
    assert first["external_id"] == second["external_id"] == "32"
    assert [a["external_id"] for a in second["addresses"]] == ["60", "61", "62"]
    # Both deliveries name the same customer: the store was asked once.
    assert len(store.asked) == 2


async def test_what_was_fetched_of_somebody_erased_is_not_kept(
    gateway: FastAPI, sender: Sender, store: Store, fetcher: DeliveryFetcher
) -> None:
    store.has_customer(CUSTOMER, [])
    await send(sender, thin("store/customer/updated", {"type": "customer", "id": 32}))
    await fetcher.fetch(sender.tenant_id)
    [before] = await sender.kept()
    assert b"jane@example.com" in before.fetched
    context = gateway.state.context
    parts = ServiceHarness(gateway, context, build_handlers(context))
    late = ErasedPersonDelivered(delivery_ids=(before.id,))
    await parts.receive(sender.tenant_id, "customer", [(before.id, late)])
    [after] = await sender.kept()
    assert (after.body, after.fetched) == (b"", None)


async def test_what_is_gone_and_what_says_all_itself(
    sender: Sender, store: Store, fetcher: DeliveryFetcher
) -> None:
    await send(sender, thin("store/order/updated", {"type": "order", "id": 251}))
    await send(sender, thin("store/customer/deleted", {"type": "customer", "id": 32}))
    await send(sender, thin("store/cart/abandoned", {"type": "cart", "id": "0934-x"}))
    await send(sender, thin("store/order/updated", {"type": "order", "id": "../../v3/x"}))
    await send(sender, b"nonsense")
    await fetcher.fetch(sender.tenant_id)
    became = [(row.status, row.reason) for row in await sender.kept()]
    assert became == [
        ("ignored", "gone_at_platform"),
        ("processed", None),
        ("ignored", "topic_not_used"),
        ("ignored", "gone_at_platform"),
        ("ignored", "topic_not_used"),
    ]
    [(kind, event)] = await sender.told()
    assert (kind, event["deleted"], event["customer"]["external_id"]) == (
        "customer_received",
        True,
        "32",
    )
    assert store.asked == ["/v2/orders/251"]


async def test_a_store_that_is_away_is_asked_again_later(
    sender: Sender, store: Store, fetcher: DeliveryFetcher, clock: TestClock
) -> None:
    store.has_order(ORDER)
    store.status, store.headers = 429, {"X-Rate-Limit-Time-Reset-Ms": "60000"}
    await send(sender, thin("store/order/updated", {"type": "order", "id": 250}))
    await fetcher.fetch(sender.tenant_id)
    [row] = await sender.kept()
    assert (row.status, row.reason, row.fetch_tries) == ("fetching", "http_429", 1)
    store.status = 200
    clock.ahead = timedelta(seconds=30)
    await fetcher.fetch(sender.tenant_id)
    assert len(store.asked) == 1  # it asked for a minute
    clock.ahead = timedelta(seconds=70)
    await fetcher.fetch(sender.tenant_id)
    [row] = await sender.kept()
    assert (row.status, row.reason) == ("processed", None)


async def test_a_store_that_stays_away_is_given_up_and_can_be_asked_again(
    sender: Sender, store: Store, fetcher: DeliveryFetcher, clock: TestClock
) -> None:
    store.has_order(ORDER)
    store.status = 503
    await send(sender, thin("store/order/updated", {"type": "order", "id": 250}))
    for _ in range(11):
        await fetcher.fetch(sender.tenant_id)
        clock.ahead += timedelta(days=1)
    [row] = await sender.kept()
    assert (row.status, row.reason) == ("failed", "not_fetched")
    assert len(store.asked) == 11
    store.status = 200
    path = f"/v1/connections/{sender.connection_id}/deliveries/{row.id}/replays"
    clock.ahead = timedelta()
    answer = await sender.owner.post(path)
    assert (answer.status_code, answer.json()["status"]) == (202, "fetching")
    await fetcher.fetch(sender.tenant_id)
    assert len(await sender.told()) == 1


async def test_a_token_that_was_refused_can_be_replaced(
    sender: Sender, store: Store, fetcher: DeliveryFetcher, clock: TestClock
) -> None:
    path = f"/v1/connections/{sender.connection_id}"
    answer = await sender.owner.patch(path, json={"access_token": "expired"})
    assert answer.json()["has_access_token"] is True
    assert "expired" not in answer.text
    store.has_order(ORDER)
    await send(sender, thin("store/order/updated", {"type": "order", "id": 250}))
    await fetcher.fetch(sender.tenant_id)
    [row] = await sender.kept()
    assert (row.status, row.reason) == ("fetching", "http_401")
    await sender.owner.patch(path, json={"access_token": TOKEN})
    clock.ahead = timedelta(minutes=1)
    await fetcher.fetch(sender.tenant_id)
    assert len(await sender.told()) == 1


async def test_a_store_that_was_switched_off_is_not_asked(
    sender: Sender, store: Store, fetcher: DeliveryFetcher
) -> None:
    await send(sender, thin("store/order/updated", {"type": "order", "id": 250}))
    path = f"/v1/connections/{sender.connection_id}"
    assert (await sender.owner.patch(path, json={"active": False})).status_code == 200
    await fetcher.fetch(sender.tenant_id)
    [row] = await sender.kept()
    assert (row.status, row.reason, store.asked) == ("failed", "connection_off", [])


async def test_two_workers_ask_for_a_delivery_once(
    gateway: FastAPI, sender: Sender, store: Store, fetcher: DeliveryFetcher
) -> None:
    for order_id in range(250, 256):
        store.has_order({**ORDER, "id": order_id})
        await send(sender, thin("store/order/updated", {"type": "order", "id": order_id}))
    async with fetching(gateway, store) as other:
        await asyncio.gather(fetcher.fetch(sender.tenant_id), other.fetch(sender.tenant_id))
    assert len(await sender.told()) == 6
    assert sum(path.startswith("/v2/orders/") and path.count("/") == 3 for path in store.asked) == 6


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({"platform": "bigcommerce"}, {"/body/store", "/body/access_token"}),
        ({"platform": "bigcommerce", "store": STORE}, {"/body/access_token"}),
        ({"platform": "shopify", "store": STORE}, {"/body/store"}),
        ({"platform": "bigcommerce", "store": "a/../b", "access_token": "x"}, {"/body/store"}),
    ],
)
async def test_only_who_has_to_be_asked_needs_an_access(
    shop: Shop, body: dict[str, Any], faults: set[str]
) -> None:
    async with shop.owner as owner:
        answer = await owner.post("/v1/connections", json=body)
    assert answer.status_code == 422
    assert {
        each["pointer"].replace("/platform/", "/") for each in answer.json()["errors"]
    } == faults


async def test_a_signing_secret_that_rotates_leaves_the_access_alone(sender: Sender) -> None:
    rotated = await sender.owner.post(f"/v1/connections/{sender.connection_id}/rotations")
    assert rotated.status_code == 201
    shown = (await sender.owner.get(f"/v1/connections/{sender.connection_id}")).json()
    assert (shown["store"], shown["has_access_token"]) == (STORE, True)
    assert TOKEN not in str(shown)


@needs_fixtures
async def test_every_documented_delivery_is_received_and_settled(
    sender: Sender, store: Store, fetcher: DeliveryFetcher
) -> None:
    documented = json.loads((FOLDER / "bigcommerce" / "rest_v2_order.json").read_text())
    found = json.loads((FOLDER / "bigcommerce" / "rest_v3_customers.json").read_text())
    [customer] = found["data"]
    store.has_customer({**customer, "id": 32}, [{**customer["addresses"][0], "id": 60}])
    for order_id in (250, 251):
        store.has_order({**documented, "id": order_id})
    sent = 0
    for name, headers, body in deliveries_of("bigcommerce"):
        if "/rest_" in name:
            continue
        sent += 1
        named = {k: v for k, v in headers.items() if k.startswith("x-")}
        for _ in range(2):
            assert (await send(sender, body, **named)).status_code == 200, name
    assert sent >= 12
    await fetcher.fetch(sender.tenant_id)
    rows = await sender.kept()
    for row in rows:
        assert row.status in ("processed", "ignored"), (row.topic, row.reason, row.error)
    assert {row.topic for row in rows if row.status == "processed"} == {
        "store/customer/created",
        "store/customer/address/created",
        "store/order/created",
        "store/order/statusupdated",
        "store/order/transaction/created",
        "store/shipment/created",
    }
