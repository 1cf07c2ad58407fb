"""Sending: signed, retried, logged, replayed; each endpoint by itself."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from fastapi import FastAPI
from sqlalchemy import text
from standardwebhooks import Webhook, WebhookVerificationError

from gateway.webhooks.schedule import DELAYS
from gateway.webhooks.sender import LEASE, Sender
from tests.gateway.conftest import Shop, TestClock
from tests.gateway.happenings import (
    customer_updated,
    happen,
    listener,
    order_placed,
    ticket_created,
)
from tests.gateway.sending import Keeper, keeping, sending
from tests.support.harness import ServiceHarness
from tests.support.receiver import Received, Receiver, receiving
from tests.support.waiting import eventually


@pytest.fixture
async def keeper(shop: Shop) -> AsyncIterator[Keeper]:
    async with keeping(shop) as keeper:
        yield keeper


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def sender(gateway: FastAPI) -> AsyncIterator[Sender]:
    async with sending(gateway) as sender:
        yield sender


@pytest.fixture
def services(gateway: FastAPI) -> ServiceHarness:
    return listener(gateway)


async def send_all(sender: Sender, shop: Shop) -> None:
    """Send everything that is due."""
    await sender.wake(shop.tenant_id)
    await sender.idle()


def status(code: int, **headers: str) -> Any:
    def answer(_request: Received) -> web.Response:
        return web.Response(status=code, text=f"status {code}", headers=headers)

    return answer


@pytest.mark.capability(162)
async def test_an_event_is_sent_as_it_is_in_the_feed_and_verified_by_the_official_library(
    keeper: Keeper, receiver: Receiver, sender: Sender, services: ServiceHarness, shop: Shop
) -> None:
    endpoint = await keeper.create(receiver.url(), headers={"X-Environment": "test"})
    await happen(services, shop.tenant_id, order_placed(), ticket_created())
    await send_all(sender, shop)
    feed = (await keeper.client.get("/v1/events")).json()["data"]
    assert sorted((r.json for r in receiver.received), key=lambda e: e["position"]) == feed
    verifier = Webhook(endpoint["secret"])
    for request in receiver.received:
        assert verifier.verify(request.body, request.headers) == request.json
        assert request.id == request.json["id"]
        assert request.headers["content-type"] == "application/json"
        assert request.headers["x-environment"] == "test"
        with pytest.raises(WebhookVerificationError):
            verifier.verify(request.body + b" ", request.headers)
    assert [d["status"] for d in await keeper.deliveries(endpoint)] == ["succeeded"] * 2


@pytest.mark.capability(162)
async def test_only_what_an_endpoint_asked_for_is_sent(
    keeper: Keeper, receiver: Receiver, sender: Sender, services: ServiceHarness, shop: Shop
) -> None:
    await keeper.create(receiver.url("/tickets"), event_types=["ticket.*"])
    await keeper.create(receiver.url("/orders"), event_types=["order.placed", "order.updated"])
    await keeper.create(receiver.url("/all"))
    await keeper.create(receiver.url("/off"), enabled=False)
    await happen(services, shop.tenant_id, order_placed(), ticket_created(), customer_updated())
    await send_all(sender, shop)
    sent = [(r.path, r.json["type"]) for r in receiver.received if r.path != "/all"]
    assert sorted(sent) == [("/orders", "order.placed"), ("/tickets", "ticket.created")]
    assert len(receiver.at("/all")) == 3
    assert receiver.at("/off") == []


@pytest.mark.capability(162)
async def test_while_a_secret_is_rotated_everything_has_two_signatures(
    keeper: Keeper,
    receiver: Receiver,
    sender: Sender,
    services: ServiceHarness,
    shop: Shop,
    clock: TestClock,
) -> None:
    endpoint = await keeper.create(receiver.url())
    rotated = await keeper.post(f"{endpoint['id']}/secret-rotations", status=201, keep_old_for=60)
    assert rotated["secret"] != endpoint["secret"]
    await happen(services, shop.tenant_id, customer_updated())
    await send_all(sender, shop)
    [request] = receiver.received
    for secret in (endpoint["secret"], rotated["secret"]):
        Webhook(secret).verify(request.body, request.headers)
    clock.ahead = timedelta(seconds=90)
    await happen(services, shop.tenant_id, customer_updated())
    await send_all(sender, shop)
    latest = receiver.received[-1]
    Webhook(rotated["secret"]).verify(latest.body, latest.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint["secret"]).verify(latest.body, latest.headers)


@pytest.mark.capability(162)
async def test_a_failure_is_tried_again_over_days_and_then_given_up(
    keeper: Keeper,
    receiver: Receiver,
    sender: Sender,
    services: ServiceHarness,
    shop: Shop,
    clock: TestClock,
) -> None:
    endpoint = await keeper.create(receiver.url())
    receiver.answer = status(500)
    await happen(services, shop.tenant_id, customer_updated())
    started = clock.now()
    waits = []
    for tries in range(1, len(DELAYS) + 2):
        await send_all(sender, shop)
        assert len(receiver.received) == tries
        [delivery] = await keeper.deliveries(endpoint)
        assert (delivery["attempts"], delivery["last_status"]) == (tries, 500)
        if delivery["status"] == "failed":
            break
        due = _instant(delivery["next_attempt_at"])
        waits.append(due - clock.now())
        clock.ahead += due - clock.now() + timedelta(milliseconds=5)
    assert delivery["status"] == "failed"
    assert len({request.id for request in receiver.received}) == 1
    assert clock.now() - started > timedelta(hours=24)
    for wait, delay in zip(waits, DELAYS, strict=True):
        assert delay * 0.7 <= wait <= delay * 1.3


async def test_what_failed_for_a_while_arrives_in_the_end(
    keeper: Keeper,
    receiver: Receiver,
    sender: Sender,
    services: ServiceHarness,
    shop: Shop,
    clock: TestClock,
) -> None:
    endpoint = await keeper.create(receiver.url())
    receiver.answer = status(502)
    await happen(services, shop.tenant_id, *(customer_updated() for _ in range(3)))
    await send_all(sender, shop)
    assert [d["status"] for d in await keeper.deliveries(endpoint)] == ["pending"] * 3
    receiver.answer = status(204)
    clock.ahead = timedelta(minutes=1)
    await send_all(sender, shop)
    assert [d["status"] for d in await keeper.deliveries(endpoint)] == ["succeeded"] * 3
    stats = await keeper.get(f"{endpoint['id']}/stats")
    assert (stats["succeeded_24h"], stats["failed_24h"], stats["pending"]) == (3, 3, 0)
    assert (stats["failing_since"], stats["consecutive_failures"]) == (None, 0)


async def test_a_receiver_that_asks_to_wait_is_left_alone_for_so_long(
    keeper: Keeper,
    receiver: Receiver,
    sender: Sender,
    services: ServiceHarness,
    shop: Shop,
    clock: TestClock,
) -> None:
    endpoint = await keeper.create(receiver.url())
    receiver.answer = status(429, **{"Retry-After": "3600"})
    await happen(services, shop.tenant_id, customer_updated())
    await send_all(sender, shop)
    [delivery] = await keeper.deliveries(endpoint)
    assert _instant(delivery["next_attempt_at"]) - clock.now() > timedelta(minutes=59)
    await happen(services, shop.tenant_id, customer_updated())
    clock.ahead = timedelta(minutes=30)
    await send_all(sender, shop)
    assert len(receiver.received) == 1
    receiver.answer = status(200)
    clock.ahead = timedelta(minutes=61)
    await send_all(sender, shop)
    assert len(receiver.received) == 3


@pytest.mark.parametrize("code", [301, 302, 307, 308])
async def test_a_redirect_is_a_failure_and_is_not_followed(
    keeper: Keeper,
    receiver: Receiver,
    sender: Sender,
    services: ServiceHarness,
    shop: Shop,
    code: int,
) -> None:
    endpoint = await keeper.create(receiver.url())
    receiver.answer = status(code, Location=receiver.url("/elsewhere"))
    await happen(services, shop.tenant_id, customer_updated())
    await send_all(sender, shop)
    assert receiver.at("/elsewhere") == []
    [delivery] = await keeper.deliveries(endpoint)
    assert (delivery["status"], delivery["last_error"]) == ("pending", f"http_{code}")


@pytest.mark.capability(162)
async def test_gone_switches_the_endpoint_off_and_the_shop_is_told(
    keeper: Keeper, receiver: Receiver, sender: Sender, services: ServiceHarness, shop: Shop
) -> None:
    endpoint = await keeper.create(receiver.url(), description="ERP")
    receiver.answer = status(410)
    await happen(services, shop.tenant_id, *(customer_updated() for _ in range(6)))
    await send_all(sender, shop)
    read = await keeper.get(endpoint["id"])
    assert (read["enabled"], read["disabled_reason"]) == (False, "gone")
    statuses = {d["status"] for d in await keeper.deliveries(endpoint)}
    assert statuses <= {"failed", "cancelled"}
    assert len(receiver.received) < 6
    [told] = await services.told(shop.tenant_id, "gateway.webhook_endpoint_disabled")
    assert (told["reason"], told["description"]) == ("gone", "ERP")
    refused = await keeper.post(f"{endpoint['id']}/tests", status=409)
    assert refused["code"] == "webhook_endpoint_disabled"


@pytest.mark.capability(162)
async def test_five_days_of_failures_switch_the_endpoint_off(
    keeper: Keeper,
    receiver: Receiver,
    sender: Sender,
    services: ServiceHarness,
    shop: Shop,
    clock: TestClock,
) -> None:
    endpoint = await keeper.create(receiver.url())
    receiver.answer = status(500)
    for hours in (0, 60, 119):
        clock.ahead = timedelta(hours=hours)
        await happen(services, shop.tenant_id, customer_updated())
        await send_all(sender, shop)
    assert (await keeper.get(endpoint["id"]))["enabled"]
    clock.ahead = timedelta(hours=121)
    await happen(services, shop.tenant_id, customer_updated())
    await send_all(sender, shop)
    read = await keeper.get(endpoint["id"])
    assert (read["enabled"], read["disabled_reason"]) == (False, "failing")
    await keeper.client.patch(f"/v1/webhook-endpoints/{endpoint['id']}", json={"enabled": True})
    receiver.answer = status(200)
    await happen(services, shop.tenant_id, customer_updated())
    await send_all(sender, shop)
    read = await keeper.get(endpoint["id"])
    assert (read["enabled"], read["disabled_reason"]) == (True, None)
    assert (await keeper.deliveries(endpoint))[0]["status"] == "succeeded"


@pytest.mark.capability(162)
async def test_every_attempt_is_in_the_log_with_what_was_sent_and_answered(
    keeper: Keeper, receiver: Receiver, sender: Sender, services: ServiceHarness, shop: Shop
) -> None:
    endpoint = await keeper.create(receiver.url())

    def answer(_request: Received) -> web.Response:
        return web.Response(status=503, body=b"\x00\xff" + b"x" * 10_000, headers={"X-Trace": "7"})

    receiver.answer = answer
    await happen(services, shop.tenant_id, customer_updated())
    await send_all(sender, shop)
    [attempt] = await keeper.attempts(endpoint)
    assert (attempt["number"], attempt["status"], attempt["succeeded"]) == (1, 503, False)
    assert attempt["response_headers"]["X-Trace"] == "7"
    assert 4000 < len(attempt["response_body"]) <= 4096
    detail = await keeper.get(f"{endpoint['id']}/deliveries/{attempt['event_id']}")
    assert detail["request_body"] == receiver.received[0].json
    assert detail["latest_attempts"] == [attempt]
    assert await keeper.attempts(endpoint, event_id=attempt["event_id"]) == [attempt]


@pytest.mark.capability(162)
async def test_a_test_event_goes_to_one_endpoint_and_into_no_feed(
    keeper: Keeper, receiver: Receiver, sender: Sender, shop: Shop
) -> None:
    endpoint = await keeper.create(receiver.url(), event_types=["order.placed"])
    await keeper.create(receiver.url("/other"))
    test = await keeper.post(f"{endpoint['id']}/tests")
    await send_all(sender, shop)
    [request] = receiver.received
    assert (request.path, request.json["type"]) == ("/in", "webhook_endpoint.test")
    assert request.id == test["id"]
    Webhook(endpoint["secret"]).verify(request.body, request.headers)
    assert (await keeper.client.get("/v1/events")).json()["data"] == []
    detail = await keeper.get(f"{endpoint['id']}/deliveries/{test['id']}")
    assert (detail["status"], detail["request_body"]["type"]) == (
        "succeeded",
        "webhook_endpoint.test",
    )


@pytest.mark.capability(162)
async def test_one_event_is_sent_again_under_the_same_id(
    keeper: Keeper, receiver: Receiver, sender: Sender, services: ServiceHarness, shop: Shop
) -> None:
    endpoint = await keeper.create(receiver.url())
    await happen(services, shop.tenant_id, customer_updated())
    await send_all(sender, shop)
    [delivery] = await keeper.deliveries(endpoint)
    again = await keeper.post(f"{endpoint['id']}/deliveries/{delivery['id']}/resends")
    assert again["status"] == "pending"
    await send_all(sender, shop)
    assert [request.id for request in receiver.received] == [delivery["id"]] * 2
    assert receiver.received[0].body == receiver.received[1].body
    missing = await keeper.post(f"{endpoint['id']}/deliveries/{shop.tenant_id}/resends", status=404)
    assert missing["code"] == "webhook_delivery_not_found"


@pytest.mark.capability(162)
async def test_a_range_is_replayed_by_position_or_by_time(
    keeper: Keeper,
    receiver: Receiver,
    sender: Sender,
    services: ServiceHarness,
    shop: Shop,
    clock: TestClock,
) -> None:
    await happen(services, shop.tenant_id, *(customer_updated() for _ in range(3)))
    endpoint = await keeper.create(receiver.url(), event_types=["customer.*"])
    clock.ahead = timedelta(hours=1)
    since = clock.now()
    await happen(services, shop.tenant_id, *(customer_updated() for _ in range(3)), order_placed())
    await send_all(sender, shop)
    assert positions(receiver) == [4, 5, 6]
    # What happened before the endpoint was there was never sent to it.
    replay = await keeper.post(f"{endpoint['id']}/replays", what="all", until=4)
    assert replay == {
        "object": "webhook_replay",
        "endpoint_id": endpoint["id"],
        "queued": 4,
        "until": 4,
        "has_more": False,
    }
    await send_all(sender, shop)
    assert positions(receiver) == [1, 2, 3, 4, 4, 5, 6]
    replay = await keeper.post(f"{endpoint['id']}/replays", what="all", since=since.isoformat())
    assert (replay["queued"], replay["until"]) == (3, 7)
    await send_all(sender, shop)
    assert positions(receiver) == [1, 2, 3, 4, 4, 4, 5, 5, 6, 6]
    long_ago = "2020-01-01T00:00:00Z"
    nothing = await keeper.post(f"{endpoint['id']}/replays", what="all", before=long_ago)
    assert nothing["queued"] == 0


async def test_only_what_failed_is_replayed(
    keeper: Keeper, receiver: Receiver, sender: Sender, services: ServiceHarness, shop: Shop
) -> None:
    endpoint = await keeper.create(receiver.url())
    await happen(services, shop.tenant_id, customer_updated())
    await send_all(sender, shop)
    receiver.answer = status(410)
    await happen(services, shop.tenant_id, *(customer_updated() for _ in range(5)))
    await send_all(sender, shop)
    receiver.answer = status(200)
    receiver.received.clear()
    await keeper.client.patch(f"/v1/webhook-endpoints/{endpoint['id']}", json={"enabled": True})
    replay = await keeper.post(f"{endpoint['id']}/replays", what="failed")
    assert replay["queued"] == 5
    await send_all(sender, shop)
    assert positions(receiver) == [2, 3, 4, 5, 6]
    assert await keeper.deliveries(endpoint, status="failed,cancelled,pending") == []


@pytest.mark.capability(162)
async def test_a_receiver_that_never_answers_holds_up_nobody(
    keeper: Keeper, receiver: Receiver, gateway: FastAPI, services: ServiceHarness, shop: Shop
) -> None:
    async with sending(gateway, timeout_seconds=60) as sender:
        await _hold_up_nobody(keeper, receiver, sender, services, shop)


async def _hold_up_nobody(
    keeper: Keeper, receiver: Receiver, sender: Sender, services: ServiceHarness, shop: Shop
) -> None:
    hanging = await keeper.create(receiver.url("/hang"))
    for number in range(5):
        await keeper.create(receiver.url(f"/{number}"))
    await happen(services, shop.tenant_id, *(customer_updated() for _ in range(8)))
    await sender.wake(shop.tenant_id)
    await eventually(lambda: _value(receiver.hanging and len(receiver.received) >= 40))
    assert {path: len(receiver.at(path)) for path in ("/0", "/1", "/2", "/3", "/4")} == {
        f"/{number}": 8 for number in range(5)
    }
    # While it hangs, others are sent what happens now.
    await happen(services, shop.tenant_id, customer_updated())
    await sender.wake(shop.tenant_id)
    await eventually(lambda: _value(len(receiver.at("/0")) == 9))
    assert receiver.hanging <= 4
    receiver.let_go.set()
    await send_all(sender, shop)
    assert {d["status"] for d in await keeper.deliveries(hanging)} == {"succeeded"}


async def test_silence_is_a_failure_after_the_time_out(
    keeper: Keeper, receiver: Receiver, gateway: FastAPI, services: ServiceHarness, shop: Shop
) -> None:
    endpoint = await keeper.create(receiver.url("/hang"))
    await happen(services, shop.tenant_id, *(customer_updated() for _ in range(8)))
    async with sending(gateway, timeout_seconds=0.2) as impatient:
        await impatient.wake(shop.tenant_id)
        await eventually(lambda: _attempts(keeper, endpoint, 5))
    errors = {attempt["error"] for attempt in await keeper.attempts(endpoint)}
    assert errors == {"timeout"}
    stats = await keeper.get(f"{endpoint['id']}/stats")
    assert stats["failing_since"] is not None


async def test_queues_in_trouble_leave_room_for_others(
    keeper: Keeper, receiver: Receiver, gateway: FastAPI, services: ServiceHarness, shop: Shop
) -> None:
    """Room for eight queues of this shop in all: of these, those in trouble get four at most."""
    for number in range(12):
        await keeper.create(receiver.url(f"/hang/{number}"), event_types=["ticket.created"])
    await keeper.create(receiver.url("/good"))
    receiver.let_go.set()
    receiver.answer = lambda request: status(200 if request.path == "/good" else 500)(request)
    async with sending(gateway, timeout_seconds=30, most_queues=16) as sender:
        await happen(services, shop.tenant_id, ticket_created())
        await sender.wake(shop.tenant_id)
        await eventually(lambda: _value(len(receiver.at("/good")) == 1))
        await eventually(lambda: _in_trouble(shop, 12))
    receiver.let_go.clear()
    receiver.received.clear()
    async with sending(gateway, timeout_seconds=30, most_queues=16) as sender:
        await happen(services, shop.tenant_id, *(ticket_created() for _ in range(3)))
        await sender.wake(shop.tenant_id)
        await eventually(lambda: _value(len(receiver.at("/good")) == 3))
        await happen(services, shop.tenant_id, ticket_created())
        await sender.wake(shop.tenant_id)
        await eventually(lambda: _value(len(receiver.at("/good")) == 4))
        hanging = {r.path for r in receiver.received if r.path.startswith("/hang")}
        assert 1 <= len(hanging) <= 4
        receiver.let_go.set()


async def test_a_sender_that_dies_leaves_its_queues_to_another(
    keeper: Keeper,
    receiver: Receiver,
    gateway: FastAPI,
    services: ServiceHarness,
    shop: Shop,
    clock: TestClock,
) -> None:
    endpoint = await keeper.create(receiver.url("/hang"))
    await happen(services, shop.tenant_id, customer_updated())
    async with sending(gateway, timeout_seconds=60) as first, sending(gateway) as second:
        await first.wake(shop.tenant_id)
        await eventually(lambda: _value(receiver.hanging == 1))
        # As far as the database can see, `first` is dead from here on.
        receiver.answer = status(200)
        await send_all(second, shop)
        assert len(receiver.received) == 1, "the queue is under lease"
        clock.ahead = LEASE + timedelta(seconds=1)
        await second.wake(shop.tenant_id)
        await eventually(lambda: _value(len(receiver.received) == 2))
        receiver.let_go.set()
        await second.idle()
        await first.idle()
    assert receiver.received[0].id == receiver.received[1].id
    [delivery] = await keeper.deliveries(endpoint)
    assert delivery["status"] == "succeeded"


async def test_a_sender_that_lives_keeps_its_queues(
    keeper: Keeper,
    receiver: Receiver,
    gateway: FastAPI,
    services: ServiceHarness,
    shop: Shop,
    clock: TestClock,
) -> None:
    await keeper.create(receiver.url("/hang"))
    await happen(services, shop.tenant_id, customer_updated())
    async with sending(gateway, timeout_seconds=60) as first, sending(gateway) as second:
        await first.wake(shop.tenant_id)
        await eventually(lambda: _value(receiver.hanging == 1))
        clock.ahead = LEASE - timedelta(seconds=2)
        await first.renew()
        clock.ahead = LEASE + timedelta(seconds=2)
        await send_all(second, shop)
        assert len(receiver.received) == 1
        receiver.let_go.set()


async def test_two_senders_send_everything_once(
    keeper: Keeper, receiver: Receiver, gateway: FastAPI, services: ServiceHarness, shop: Shop
) -> None:
    for number in range(10):
        await keeper.create(receiver.url(f"/{number}"))
    async with sending(gateway) as one, sending(gateway) as two:
        for _ in range(5):
            await happen(services, shop.tenant_id, *(customer_updated() for _ in range(5)))
            await asyncio.gather(one.wake(shop.tenant_id), two.wake(shop.tenant_id))
        await asyncio.gather(one.idle(), two.idle())
        await asyncio.gather(send_all(one, shop), send_all(two, shop))
    sent = [(request.path, request.id) for request in receiver.received]
    assert (len(sent), len(set(sent))) == (250, 250)


async def test_no_more_is_sent_a_second_than_the_endpoint_wants(
    keeper: Keeper, receiver: Receiver, sender: Sender, services: ServiceHarness, shop: Shop
) -> None:
    await keeper.create(receiver.url(), rate_limit=20)
    await happen(services, shop.tenant_id, *(customer_updated() for _ in range(8)))
    started = asyncio.get_running_loop().time()
    await send_all(sender, shop)
    assert len(receiver.received) == 8
    assert asyncio.get_running_loop().time() - started >= 7 / 20 * 0.9


async def test_what_turned_out_to_be_inside_is_not_connected_to(
    keeper: Keeper, receiver: Receiver, gateway: FastAPI, services: ServiceHarness, shop: Shop
) -> None:
    """An address that passed when the endpoint was made, and does not any more."""
    endpoint = await keeper.create(receiver.url())
    async with shop.app.state.context.units.begin(shop.tenant_id) as uow:
        await uow.execute(
            text("UPDATE gateway.webhook_endpoint SET url = :url WHERE tenant_id = :t"),
            {"url": receiver.url().replace("127.0.0.1", "127.0.0.2"), "t": shop.tenant_id},
        )
        await uow.commit()
    await happen(services, shop.tenant_id, customer_updated())
    async with sending(gateway) as sender:
        await send_all(sender, shop)
    assert receiver.received == []
    [delivery] = await keeper.deliveries(endpoint)
    assert delivery["last_error"] == "address_not_allowed"


async def test_a_removed_endpoint_is_sent_nothing_more(
    keeper: Keeper, receiver: Receiver, sender: Sender, services: ServiceHarness, shop: Shop
) -> None:
    endpoint = await keeper.create(receiver.url())
    await happen(services, shop.tenant_id, customer_updated())
    assert (
        await keeper.client.delete(f"/v1/webhook-endpoints/{endpoint['id']}")
    ).status_code == 204
    await send_all(sender, shop)
    assert receiver.received == []


def positions(receiver: Receiver) -> list[int]:
    return sorted(request.json["position"] for request in receiver.received)


def _instant(value: str) -> Any:
    return datetime.fromisoformat(value)


async def _value(value: object) -> object:
    return value


async def _attempts(keeper: Keeper, endpoint: dict[str, Any], count: int) -> bool:
    return len(await keeper.attempts(endpoint)) >= count


async def _in_trouble(shop: Shop, count: int) -> bool:
    async with shop.app.state.context.units.begin(shop.tenant_id) as uow:
        found = await uow.scalar(
            text(
                "SELECT count(*) FROM gateway.webhook_queue WHERE tenant_id = :t AND troubled"
                " AND owner IS NULL"
            ),
            {"t": shop.tenant_id},
        )
    return bool(found == count)
