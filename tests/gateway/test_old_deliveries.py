"""What platforms delivered is forgotten in time, and known again when it comes once more."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from gateway.deliveries.forgetting import LISTING, delivery_forgetting
from gateway.deliveries.repository import DeliveryRepository
from gateway.deliveries.schemas import DeliveryStatus
from shared.db.unit_of_work import UnitsOfWork
from tests.gateway.conftest import Shop, sign
from tests.gateway.test_hooks import ORDER, Sender, connect

READ, UNREAD = timedelta(days=30), timedelta(days=14)


@pytest.fixture
async def shopify(shop: Shop) -> AsyncIterator[Sender]:
    sender = await connect(shop, "shopify")
    yield sender
    await sender.owner.aclose()


def units_of(sender: Sender) -> UnitsOfWork:
    units: UnitsOfWork = sender.app.state.context.units
    return units


async def deliver_all(sender: Sender) -> None:
    """One that is read, one that nobody needs, one that nobody understands."""
    await sender.send(ORDER, "orders/create")
    await sender.send({"id": 1, "email": "lan@example.com"}, "carts/update")
    await sender.send(b"not json", "orders/create")
    await sender.read()
    kept = [row.status for row in await sender.kept()]
    assert kept == ["processed", "ignored", "failed"]


async def age(sender: Sender, by: timedelta) -> None:
    async with units_of(sender).begin(sender.tenant_id) as uow:
        older = text(
            "UPDATE gateway.delivery SET received_at = received_at - make_interval(secs => :b)"
            " WHERE tenant_id = :t"
        )
        await uow.execute(older, {"b": by.total_seconds(), "t": sender.tenant_id})
        await uow.commit()


async def sweep(sender: Sender) -> list[str]:
    """What still has a body after a sweep."""
    await delivery_forgetting(units_of(sender), read=READ, unread=UNREAD).run()
    return [row.status for row in await sender.kept() if row.body]


async def test_bodies_go_when_their_time_is_over(shopify: Sender) -> None:
    await deliver_all(shopify)
    await age(shopify, UNREAD - timedelta(hours=1))
    assert await sweep(shopify) == ["processed", "ignored", "failed"]
    await age(shopify, timedelta(hours=2))
    assert await sweep(shopify) == ["processed"]
    await age(shopify, READ - UNREAD)
    assert await sweep(shopify) == []

    rows = await shopify.kept()
    assert [(row.status, row.error, row.fetched) for row in rows] == [
        ("processed", None, None),
        ("ignored", None, None),
        ("failed", None, None),
    ]
    listed = await shopify.listed()
    assert [(each["size"], each["forgotten_at"] is None) for each in listed] == [(0, False)] * 3


async def test_a_shop_is_listed_while_it_has_something_to_forget(shopify: Sender) -> None:
    await deliver_all(shopify)
    assert shopify.tenant_id not in await units_of(shopify).tenants(LISTING)
    await age(shopify, UNREAD)
    assert shopify.tenant_id in await units_of(shopify).tenants(LISTING)
    await sweep(shopify)
    assert shopify.tenant_id not in await units_of(shopify).tenants(LISTING)


async def test_what_still_waits_is_kept(shopify: Sender) -> None:
    await shopify.send(ORDER, "orders/create")
    await age(shopify, timedelta(days=90))
    assert await sweep(shopify) == ["pending"]


async def test_some_at_a_time_the_oldest_first(shopify: Sender) -> None:
    await deliver_all(shopify)
    await age(shopify, READ)
    await deliver_more(shopify)
    async with units_of(shopify).begin(shopify.tenant_id) as uow:
        before = uow.clock.now() + timedelta(hours=1)
        kept = DeliveryRepository(uow)
        assert await kept.forget(DeliveryStatus.IGNORED, before=before, limit=1) == 1
        await uow.commit()
    ignored = [row for row in await shopify.kept() if row.status == "ignored"]
    assert [bool(row.body) for row in ignored] == [False, True]


async def deliver_more(sender: Sender) -> None:
    await sender.send({"id": 2}, "carts/update")
    await sender.read()


async def test_a_forgotten_one_that_comes_again_is_known(shopify: Sender) -> None:
    body = json.dumps(ORDER).encode()
    headers = {
        "content-type": "application/json",
        "x-shopify-topic": "orders/create",
        "x-shopify-webhook-id": str(uuid4()),
        "x-shopify-hmac-sha256": sign(shopify.secret, body),
    }
    await shopify.post(body, headers)
    await shopify.read()
    await age(shopify, READ)
    assert await sweep(shopify) == []
    assert (await shopify.post(body, headers)).status_code < 300
    await shopify.read()
    [row] = await shopify.kept()
    assert (row.status, row.body) == ("processed", b"")
    assert len(await shopify.told()) == 1


async def test_a_forgotten_one_cannot_be_replayed(shopify: Sender) -> None:
    await deliver_all(shopify)
    await age(shopify, READ)
    await sweep(shopify)
    path = f"/v1/connections/{shopify.connection_id}/deliveries"
    for row in await shopify.kept():
        answer = await shopify.owner.post(f"{path}/{row.id}/replays")
        assert (answer.status_code, answer.json()["code"]) == (409, "delivery_forgotten")
    assert [row.status for row in await shopify.kept()] == ["processed", "ignored", "failed"]
