"""From a platform's webhook to what the services are told."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from gateway.access.opaque import OpaqueToken
from gateway.app import create_app
from gateway.deliveries.tasks import DeliveryReader
from gateway.hooks.dialects import is_signed, signature_of
from gateway.platforms.platform import THIN, Platform
from gateway.settings import GatewaySettings
from shared.ids import TenantId
from tests.gateway.conftest import Shop, TestClock, client_of, make_shop, sign
from tests.gateway.fixtures import deliveries_of, needs_fixtures
from tests.gateway.test_access import told

ORDER = {
    "id": 820982911946154508,
    "name": "#1001",
    "currency": "VND",
    "total_price": "1250000",
    "updated_at": "2026-03-01T09:16:00+07:00",
    "customer": {"id": 7000000000001, "email": "duc@example.com", "verified_email": True},
}


@dataclass
class Sender:
    """A platform that delivers to one connection."""

    app: FastAPI
    tenant_id: TenantId
    platform: str
    connection_id: str
    secret: str
    owner: httpx.AsyncClient

    async def send(
        self,
        payload: Any,
        topic: str,
        *,
        secret: str | None = None,
        unsigned: bool = False,
        prefix: str = "x-shopify-",
        **headers: str,
    ) -> httpx.Response:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        signature = sign(secret or self.secret, body)
        if self.platform == "shopify":
            labels = {f"{prefix}topic": topic, f"{prefix}webhook-id": str(uuid4())}
            signed = {f"{prefix}hmac-sha256": signature}
        else:
            labels = {"x-wc-webhook-topic": topic, "x-wc-webhook-delivery-id": str(uuid4())}
            signed = {"x-wc-webhook-signature": signature}
        sent = {"content-type": "application/json", **labels, **({} if unsigned else signed)}
        return await self.post(body, {**sent, **headers})

    async def post(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        async with client_of(self.app) as client:
            return await client.post(
                f"/v1/hooks/{self.platform}/{self.connection_id}", content=body, headers=headers
            )

    async def kept(self) -> list[Any]:
        async with self.app.state.context.units.begin(self.tenant_id) as uow:
            return list(
                await uow.rows(
                    text("SELECT * FROM gateway.delivery WHERE tenant_id = :t ORDER BY id"),
                    {"t": self.tenant_id},
                )
            )

    async def read(self) -> None:
        await DeliveryReader(self.app.state.context.units).read(self.tenant_id)

    async def told(self) -> list[tuple[str, dict[str, Any]]]:
        return [
            (kind.removeprefix("gateway.platform_"), event)
            for kind, event in await told(self.app, self.tenant_id)
            if "platform" in kind
        ]

    async def listed(self, **parameters: str) -> list[dict[str, Any]]:
        path = f"/v1/connections/{self.connection_id}/deliveries"
        answer = await self.owner.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        data: list[dict[str, Any]] = answer.json()["data"]
        return data


async def connect(shop: Shop, platform: str, **options: Any) -> Sender:
    owner = shop.owner
    created = await owner.post("/v1/connections", json={"platform": platform, **options})
    assert created.status_code == 201, created.text
    return Sender(
        shop.app, shop.tenant_id, platform, created.json()["id"], created.json()["secret"], owner
    )


@pytest.fixture
async def shopify(shop: Shop) -> AsyncIterator[Sender]:
    sender = await connect(shop, "shopify")
    yield sender
    await sender.owner.aclose()


@pytest.fixture
async def woo(shop: Shop) -> AsyncIterator[Sender]:
    sender = await connect(shop, "woocommerce")
    yield sender
    await sender.owner.aclose()


def test_the_signature_is_the_one_that_platforms_make() -> None:
    body = '{"id":1,"name":"Nguyễn Văn A","total":"100.00"}'.encode()
    vector = "ke2flY/3B21OPLv9UAQ2H/roPTT3aNHhJcUsEy9GNIU="
    assert signature_of(body, b"test-secret-123").decode() == vector
    assert is_signed(body, vector, [b"another", b"test-secret-123"])
    assert not is_signed(body, vector, [b"another"])
    assert not is_signed(body + b" ", vector, [b"test-secret-123"])
    for nonsense in (None, "", "é", "x" * 10_000):
        assert not is_signed(body, nonsense, [b"test-secret-123"])


@contextlib.asynccontextmanager
async def refusing_orders_called(number: str, database_url: str) -> AsyncIterator[None]:
    """A database that refuses one event, as it may refuse any."""
    engine = create_async_engine(database_url, poolclass=NullPool)
    check = f"CHECK (coalesce(data->'order'->>'number', '') <> '{number}') NOT VALID"
    async with engine.begin() as connection:
        await connection.execute(text(f"ALTER TABLE gateway.outbox ADD CONSTRAINT refused {check}"))
    try:
        yield
    finally:
        async with engine.begin() as connection:
            await connection.execute(text("ALTER TABLE gateway.outbox DROP CONSTRAINT refused"))
        await engine.dispose()


class TestReceiving:
    @pytest.mark.parametrize("prefix", ["x-shopify-", "shopify-", "X-Shopify-"])
    async def test_a_delivery_is_kept_as_it_came(self, shopify: Sender, prefix: str) -> None:
        body = b'{"id": 1, "note": "\xc4\x90\xc3\xba\\u006eg"}'
        answer = await shopify.send(body, "carts/update", prefix=prefix)
        assert answer.status_code == 200
        (kept,) = await shopify.kept()
        assert (kept.body, kept.topic, kept.status) == (body, "carts/update", "pending")

    async def test_the_same_delivery_twice_is_kept_once(self, shopify: Sender) -> None:
        for _ in range(2):
            headers = {"x-shopify-webhook-id": "once"}
            answer = await shopify.send(ORDER, "orders/create", **headers)
            assert answer.status_code == 200
        assert len(await shopify.kept()) == 1

    async def test_many_at_once_of_the_same_are_kept_once(self, shopify: Sender) -> None:
        headers = {"x-shopify-webhook-id": "at-once"}
        answers = await asyncio.gather(
            *(shopify.send(ORDER, "orders/create", **headers) for _ in range(8))
        )
        assert {answer.status_code for answer in answers} == {200}
        assert len(await shopify.kept()) == 1

    async def test_a_woocommerce_delivery_counts_once_per_change(self, woo: Sender) -> None:
        order = {"id": 901, "status": "processing", "date_modified_gmt": "2026-03-01T02:15:00"}
        for _ in range(2):
            await woo.send(order, "order.updated")
        assert len(await woo.kept()) == 1
        await woo.send({**order, "date_modified_gmt": "2026-03-01T02:15:01"}, "order.updated")
        await woo.send(order, "order.restored")
        assert len(await woo.kept()) == 3

    async def test_what_is_deleted_again_counts_again(self, woo: Sender) -> None:
        first = {"x-wc-webhook-delivery-id": "first"}
        await woo.send({"id": 901}, "order.deleted", **first)
        await woo.send({"id": 901}, "order.deleted", **first)
        await woo.send({"id": 901}, "order.deleted")
        assert len(await woo.kept()) == 2

    async def test_two_connections_do_not_share_deliveries(
        self, shop: Shop, shopify: Sender
    ) -> None:
        other = await connect(shop, "shopify")
        for sender in (shopify, other):
            await sender.send(ORDER, "orders/create", **{"x-shopify-webhook-id": "same"})
        assert len(await shopify.kept()) == 2

    @pytest.mark.parametrize("how", ["wrong", "missing", "of another connection", "altered"])
    async def test_a_wrong_signature_is_refused_and_nothing_kept(
        self, shop: Shop, shopify: Sender, how: str
    ) -> None:
        if how == "altered":
            body = json.dumps(ORDER).encode()
            headers = {"x-shopify-topic": "orders/create"}
            headers["x-shopify-hmac-sha256"] = sign(shopify.secret, body)
            answer = await shopify.post(body + b" ", headers)
        elif how == "missing":
            answer = await shopify.send(ORDER, "orders/create", unsigned=True)
        else:
            other = (await connect(shop, "shopify")).secret if "another" in how else "wrong-secret"
            answer = await shopify.send(ORDER, "orders/create", secret=other)
        assert (answer.status_code, answer.json()["code"]) == (401, "signature_refused")
        assert await shopify.kept() == []

    async def test_unknown_connections_are_as_those_whose_secret_one_does_not_have(
        self, shopify: Sender
    ) -> None:
        known = shopify.connection_id
        refused = await shopify.send(ORDER, "orders/create", secret="not-the-secret")
        for platform, connection_id in [
            ("shopify", str(uuid4())),
            ("shopify", "nonsense"),
            ("woocommerce", known),
        ]:
            shopify.platform, shopify.connection_id = platform, connection_id
            answer = await shopify.send(ORDER, "orders/create")
            assert answer.status_code == refused.status_code == 401, (platform, connection_id)
            assert answer.json()["code"] == refused.json()["code"]
        shopify.platform, shopify.connection_id = "magento", known
        assert (await shopify.send(ORDER, "orders/create")).status_code == 404

    async def test_a_ping_is_answered_alike_whether_there_is_a_connection_or_not(
        self, woo: Sender
    ) -> None:
        woo.connection_id = str(uuid4())
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert (await woo.post(b"webhook_id=12", form)).status_code == 200

    async def test_a_connection_that_is_switched_off_takes_nothing(self, shopify: Sender) -> None:
        assert (await shopify.send(ORDER, "orders/create")).status_code == 200
        path = f"/v1/connections/{shopify.connection_id}"
        await shopify.owner.patch(path, json={"active": False})
        assert (await shopify.send(ORDER, "orders/create")).status_code == 401
        await shopify.owner.patch(path, json={"active": True})
        assert (await shopify.send(ORDER, "orders/create")).status_code == 200

    async def test_both_secrets_pass_during_a_rotation(
        self, shopify: Sender, clock: TestClock
    ) -> None:
        rotated = await shopify.owner.post(
            f"/v1/connections/{shopify.connection_id}/rotations", json={"keep_old_for": 600}
        )
        assert rotated.status_code == 201
        old, new = shopify.secret, rotated.json()["secret"]
        for secret in (old, new):
            answer = await shopify.send(ORDER, "orders/create", secret=secret)
            assert answer.status_code == 200
        clock.ahead = timedelta(seconds=601)
        assert (await shopify.send(ORDER, "orders/create", secret=old)).status_code == 401
        assert (await shopify.send(ORDER, "orders/create", secret=new)).status_code == 200

    async def test_a_secret_can_be_replaced_at_once(self, shopify: Sender) -> None:
        path = f"/v1/connections/{shopify.connection_id}/rotations"
        body = {"keep_old_for": 0, "secret": "chosen-by-the-shop"}
        assert (await shopify.owner.post(path, json=body)).json()["secret"] == body["secret"]
        assert (await shopify.send(ORDER, "orders/create")).status_code == 401

    async def test_woocommerce_asks_unsigned_whether_we_are_there(self, woo: Sender) -> None:
        form = {"content-type": "application/x-www-form-urlencoded"}
        answer = await woo.post(b"webhook_id=12", form)
        assert answer.status_code == 200
        assert await woo.kept() == []
        not_asked = await woo.post(
            b"webhook_id=12", {**form, "x-wc-webhook-topic": "order.deleted"}
        )
        assert not_asked.status_code == 401
        assert (await woo.post(b"anything=else", form)).status_code == 401

    async def test_an_order_of_a_megabyte_passes_and_six_do_not(self, shopify: Sender) -> None:
        large = {**ORDER, "note": "x" * 1_500_000}
        assert (await shopify.send(large, "orders/create")).status_code == 200
        huge = {**ORDER, "note": "x" * 6_000_000}
        assert (await shopify.send(huge, "orders/create")).status_code == 413

    async def test_nonsense_with_the_right_signature_is_kept(self, shopify: Sender) -> None:
        for body in (b"", b"nonsense", b"\x00\xff"):
            assert (await shopify.send(body, "orders/create")).status_code == 200
        assert len(await shopify.kept()) == 3


class TestReadingDeliveries:
    async def test_an_order_is_told_once(self, shopify: Sender) -> None:
        for _ in range(2):
            await shopify.send(ORDER, "orders/create", **{"x-shopify-webhook-id": "once"})
        await shopify.read()
        await shopify.read()
        ((kind, event),) = await shopify.told()
        assert (kind, event["order"]["external_id"]) == ("order_received", "820982911946154508")
        assert event["order"]["customer"]["email_verified"] is True
        assert event["origin"]["connection_id"] == shopify.connection_id
        (delivery,) = await shopify.listed()
        assert (delivery["status"], delivery["attempts"]) == ("processed", 1)
        assert (delivery["object_kind"], delivery["object_id"]) == ("order", "820982911946154508")
        assert delivery["size"] == len(json.dumps(ORDER))

    async def test_one_that_cannot_be_read_holds_up_nobody(self, shopify: Sender) -> None:
        await shopify.send(b"nonsense", "orders/create")
        await shopify.send({"id": 5}, "orders/create")
        await shopify.send({"id": 5}, "carts/update")
        await shopify.send(ORDER, "orders/create")
        await shopify.read()
        listed = await shopify.listed()
        assert [(d["status"], d["reason"]) for d in listed] == [
            ("processed", None),
            ("ignored", "topic_not_used"),
            ("failed", "not_understood"),
            ("failed", "not_understood"),
        ]
        assert len(await shopify.told()) == 1
        assert [d["id"] for d in await shopify.listed(status="processed")] == [listed[0]["id"]]
        assert await shopify.listed(status="processed,ignored") == listed[:2]

    async def test_one_that_the_database_refuses_holds_up_nobody(
        self, shopify: Sender, database_url: str
    ) -> None:
        for number in ("#1", "poison", "#2"):
            order = {**ORDER, "id": len(number), "name": number}
            await shopify.send(order, "orders/create")
        async with refusing_orders_called("poison", database_url):
            await shopify.read()
        assert [(row.status, row.reason) for row in await shopify.kept()] == [
            ("processed", None),
            ("failed", "not_kept"),
            ("processed", None),
        ]
        assert [event["order"]["number"] for _, event in await shopify.told()] == ["#1", "#2"]

    async def test_more_than_a_batch_is_read_in_order(self, shopify: Sender) -> None:
        for number in range(60):
            await shopify.send({**ORDER, "total_price": str(number)}, "orders/updated")
        await shopify.read()
        totals = [event["order"]["total_minor"] for _, event in await shopify.told()]
        assert totals == list(range(60))

    async def test_two_readers_at_once_tell_everything_once(self, shopify: Sender) -> None:
        for number in range(60):
            await shopify.send({**ORDER, "id": number + 1}, "orders/create")
        await asyncio.gather(shopify.read(), shopify.read(), shopify.read())
        ids = [event["order"]["external_id"] for _, event in await shopify.told()]
        assert sorted(ids, key=int) == [str(number + 1) for number in range(60)]

    async def test_a_sweep_finds_what_nobody_was_woken_for(self, shopify: Sender) -> None:
        await shopify.send(ORDER, "orders/create")
        await DeliveryReader(shopify.app.state.context.units).sweep()
        assert len(await shopify.told()) == 1

    async def test_a_delivery_can_be_read_again(self, shopify: Sender) -> None:
        await shopify.send(ORDER, "orders/create")
        await shopify.read()
        (delivery,) = await shopify.listed()
        path = f"/v1/connections/{shopify.connection_id}/deliveries"
        replayed = await shopify.owner.post(f"{path}/{delivery['id']}/replays")
        assert (replayed.status_code, replayed.json()["status"]) == (202, "pending")
        await shopify.read()
        assert [kind for kind, _ in await shopify.told()] == ["order_received"] * 2
        (again,) = await shopify.listed()
        assert (again["status"], again["attempts"]) == ("processed", 2)
        assert (await shopify.owner.post(f"{path}/{uuid4()}/replays")).status_code == 404

    async def test_the_shop_says_whether_addresses_are_confirmed(self, shop: Shop) -> None:
        sender = await connect(shop, "woocommerce", emails_verified=True)
        customer = {"id": 25, "email": "duc@example.com"}
        await sender.send(customer, "customer.created")
        await sender.read()
        ((_, event),) = await sender.told()
        assert event["customer"]["email_verified"] is True

    async def test_deliveries_page_from_the_newest(self, shopify: Sender) -> None:
        for number in range(5):
            await shopify.send({"id": number}, "carts/update")
        path = f"/v1/connections/{shopify.connection_id}/deliveries"
        seen: list[str] = []
        cursor = ""
        while cursor is not None:
            page = (await shopify.owner.get(f"{path}?limit=2{cursor}")).json()
            seen += [delivery["id"] for delivery in page["data"]]
            cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
        assert seen == [str(row.id) for row in reversed(await shopify.kept())]


async def test_a_platform_is_asked_to_come_again_while_the_database_is_out(
    gateway_settings: GatewaySettings,
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = f"postgresql+asyncpg://x:x@127.0.0.1:{unused.getsockname()[1]}/x"
    app = create_app(gateway_settings.model_copy(update={"own_database_url": nowhere}), {})
    async with app.router.lifespan_context(app), client_of(app) as client:
        hook = await client.post(f"/v1/hooks/shopify/{uuid4()}", content=b"{}")
        key = OpaqueToken.issue("cl", TenantId(uuid4())).text
        api = await client.get("/v1/staff", headers={"authorization": f"Bearer {key}"})
        login = {"email": "lan@example.com", "password": "x"}
        session = await client.post("/v1/auth/login", json=login)
    for answer in (hook, api, session):
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["retry-after"] == "1"


async def test_a_shop_is_redacted_only_when_nothing_was_heard_of_it_for_two_days(
    shopify: Sender, clock: TestClock
) -> None:
    left = {"shop_id": 954889, "shop_domain": "hoa-sen.myshopify.com"}
    await shopify.send(ORDER, "orders/create")
    await shopify.send(left, "shop/redact")
    await shopify.read()
    clock.ahead = timedelta(hours=49)
    await shopify.send({"customer": {"id": 5}}, "customers/redact")
    await shopify.send({**left, "again": True}, "shop/redact")
    await shopify.read()
    became = [(row.topic, row.status, row.reason) for row in await shopify.kept()]
    assert became[1] == ("shop/redact", "ignored", "shop_is_connected")
    assert became[3] == ("shop/redact", "processed", None)
    told = [kind for kind, _ in await shopify.told()]
    assert told == ["order_received", "privacy_requested", "shop_redacted"]


@needs_fixtures
@pytest.mark.parametrize("platform", [p for p in Platform if p not in THIN])
async def test_no_real_payload_is_lost_or_a_server_error(
    gateway: FastAPI, platform: Platform
) -> None:
    sender = await connect(await make_shop(gateway), platform.value)
    signature = {
        "shopify": "x-shopify-hmac-sha256",
        "woocommerce": "x-wc-webhook-signature",
        "haravan": "x-haravan-hmacsha256",
    }
    sent = 0
    for name, headers, body in deliveries_of(platform.value):
        sent += 1
        kept = {k: v for k, v in headers.items() if k not in ("content-length", "accept-encoding")}
        if not name.endswith("/ping"):
            kept[signature[platform.value]] = sign(sender.secret, body)
        for _ in range(2):
            answer = await sender.post(body, kept)
            assert answer.status_code == 200, name
    pings = 1 if platform is Platform.WOOCOMMERCE else 0
    assert len(await sender.kept()) == sent - pings
    await sender.read()
    by_status: dict[str, int] = {}
    for row in await sender.kept():
        by_status[row.status] = by_status.get(row.status, 0) + 1
        assert row.status in ("processed", "ignored"), (row.topic, row.reason, row.error)
    assert by_status["processed"] == len(await sender.told())
    await sender.owner.aclose()


async def test_haravan_is_told_that_it_may_deliver_here(gateway: FastAPI) -> None:
    sender = await connect(await make_shop(gateway), "haravan")
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}
    async with client_of(gateway) as client:
        path = f"/v1/hooks/haravan/{sender.connection_id}"
        answer = await client.get(path, params={**asked, "hub.verify_token": sender.connection_id})
        assert (answer.status_code, answer.text) == (200, "1158201444")
        assert answer.headers["content-type"].startswith("text/plain")
        wrong = {**asked, "hub.verify_token": "x"}
        assert (await client.get(path, params=wrong)).status_code == 404
        other = f"/v1/hooks/shopify/{sender.connection_id}"
        token = {**asked, "hub.verify_token": sender.connection_id}
        assert (await client.get(other, params=token)).status_code == 404
