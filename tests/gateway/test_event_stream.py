"""The feed as a stream: what was missed first, then what happens, across restarts."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from gateway.app import create_app
from gateway.events.announcing import announce_by
from gateway.events.following import Followers
from gateway.handlers import build_handlers
from gateway.settings import GatewaySettings
from shared.ids import TenantId
from shared.queue.signals import Signals
from shared.web.draining import draining_of
from tests.gateway.conftest import Shop
from tests.gateway.happenings import customer_updated, happen, listener, order_placed
from tests.gateway.staff import audited, role_holder
from tests.support.harness import ServiceHarness
from tests.support.serving import serving
from tests.support.waiting import eventually


@dataclass
class Heard:
    """What a listener has received."""

    events: list[dict] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    status: int | None = None
    ended: bool = False

    @property
    def positions(self) -> list[int]:
        return [event["position"] for event in self.events]


@asynccontextmanager
async def listening(
    base_url: str, key: str, *, last_event_id: str | None = None, **query: str
) -> AsyncIterator[Heard]:
    """A listener that reads frames as the standard says, until the block ends."""
    heard = Heard()
    headers = {"authorization": f"Bearer {key}"}
    if last_event_id is not None:
        headers["last-event-id"] = last_event_id

    async def listen() -> None:
        async with (
            httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=30) as client,
            client.stream("GET", "/v1/events/stream", params=query, headers=headers) as answer,
        ):
            heard.status = answer.status_code
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "data":
                    heard.events.append(json.loads(value))
                elif name == "id":
                    heard.ids.append(value)
                elif name == "":
                    heard.comments.append(value)
        heard.ended = True

    task = asyncio.create_task(listen())
    try:
        await eventually(lambda: _value(heard.ids or task.done()))
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _value(value: object) -> object:
    return value


@pytest.fixture
def services(gateway: FastAPI) -> ServiceHarness:
    return listener(gateway)


async def arrived(heard: Heard, count: int) -> None:
    await eventually(lambda: _value(len(heard.events) >= count))


@pytest.mark.capability(164)
async def test_a_listener_hears_what_happens_while_it_happens(
    gateway: FastAPI, services: ServiceHarness, shop: Shop
) -> None:
    key = await shop.key("events:read", "pii:read")
    await happen(services, shop.tenant_id, customer_updated())
    async with serving(gateway) as url, listening(url, key) as heard:
        assert heard.ids == ["1"]
        await happen(services, shop.tenant_id, customer_updated(), order_placed())
        await arrived(heard, 2)
        assert heard.positions == [2, 3]
        assert heard.events[1]["type"] == "order.placed"
        async with await shop.client("events:read", "pii:read") as reader:
            page = (await reader.get("/v1/events", params={"after": "1"})).json()
        assert page["data"] == heard.events


async def test_what_a_listener_sees_in_full_is_in_the_audit_log(
    gateway: FastAPI, services: ServiceHarness, shop: Shop
) -> None:
    masked = await shop.key("events:read")
    key = await shop.key("events:read", "pii:read")
    await happen(services, shop.tenant_id, customer_updated(), customer_updated())
    async with serving(gateway) as url:
        async with listening(url, masked, last_event_id="0") as heard:
            await arrived(heard, 2)
        assert await audited(shop, "events.stream") == []
        async with listening(url, key, last_event_id="0") as heard:
            await arrived(heard, 2)
        [told] = await audited(shop, "events.stream")
    assert told["kind"] == "read"
    assert [subject["id"] for subject in told["subjects"]] == [e["id"] for e in heard.events]


@pytest.mark.capability(164)
async def test_a_listener_that_comes_back_to_a_new_process_misses_nothing(
    gateway_settings: GatewaySettings, gateway: FastAPI, services: ServiceHarness, shop: Shop
) -> None:
    key = await shop.key("events:read", "pii:read")
    positions: list[int] = []
    last = "0"
    for _ in range(3):
        app = create_app(gateway_settings, {})
        await happen(services, shop.tenant_id, customer_updated(), customer_updated())
        async with (
            serving(app, lifespan="on") as url,
            listening(url, key, last_event_id=last) as heard,
        ):
            await arrived(heard, 2)
            await happen(services, shop.tenant_id, customer_updated())
            await arrived(heard, 3)
            positions += heard.positions
            last = heard.ids[-1]
    assert positions == list(range(1, 10))


async def test_the_end_of_the_process_ends_its_streams(
    gateway_settings: GatewaySettings, shop: Shop
) -> None:
    key = await shop.key("events:read")
    app = create_app(gateway_settings, {})
    async with serving(app, lifespan="on") as url, listening(url, key) as heard:
        draining_of(app).begin()
        await eventually(lambda: _value(heard.ended))
        assert heard.status == 200


async def test_filtered_events_move_the_cursor_on_silently(
    gateway: FastAPI, services: ServiceHarness, shop: Shop
) -> None:
    key = await shop.key("events:read")
    async with serving(gateway) as url, listening(url, key, types="order.placed") as heard:
        await happen(services, shop.tenant_id, customer_updated(), customer_updated())
        await eventually(lambda: _value(heard.ids[-1] == "2"))
        assert heard.events == []
        await happen(services, shop.tenant_id, order_placed())
        await arrived(heard, 1)
        assert heard.positions == [3]


async def test_a_listener_without_the_right_to_personal_data_gets_masks(
    gateway: FastAPI, services: ServiceHarness, shop: Shop
) -> None:
    key = await shop.key("events:read")
    async with serving(gateway) as url, listening(url, key) as heard:
        await happen(services, shop.tenant_id, customer_updated())
        await arrived(heard, 1)
        assert heard.events[0]["data"]["customer"]["email"] == "d***@example.com"


async def test_an_idle_stream_beats(gateway: FastAPI, shop: Shop) -> None:
    key = await shop.key("events:read")
    streams = gateway.state.outgoing.streams
    before = streams._heartbeat_seconds
    streams._heartbeat_seconds = 0.05
    try:
        async with serving(gateway) as url, listening(url, key) as heard:
            await eventually(lambda: _value(heard.comments.count("ping") >= 2))
    finally:
        streams._heartbeat_seconds = before


async def test_a_hint_from_another_process_is_heard_at_once(
    gateway: FastAPI, gateway_settings: GatewaySettings, tenant: TenantId
) -> None:
    """Looks can be relied on, hints make it fast: here nobody would look within the minute."""
    signals, context = Signals(gateway_settings.redis_url), gateway.state.context
    followers = Followers(
        units=context.units,
        signals=Signals(gateway_settings.redis_url),
        shortest_seconds=60,
        longest_seconds=60,
    )
    hinting = ServiceHarness(
        gateway, context, build_handlers(context, announce=announce_by(signals))
    )
    waiting = asyncio.create_task(followers.wait_for_more(tenant, after=0, seconds=30))

    async def happened() -> bool:
        """Until the follower's own subscription stands, hints go unheard."""
        await happen(hinting, tenant, customer_updated())
        return waiting.done()

    await eventually(happened)
    assert waiting.result() is True
    await followers.close()
    await signals.close()


async def test_without_redis_a_follower_looks_by_itself(
    gateway: FastAPI, services: ServiceHarness, tenant: TenantId
) -> None:
    followers = Followers(
        units=gateway.state.context.units, signals=Signals("redis://127.0.0.1:1/0")
    )
    waiting = asyncio.create_task(followers.wait_for_more(tenant, after=0, seconds=30))
    await happen(services, tenant, customer_updated())
    assert await waiting is True
    assert await followers.wait_for_more(tenant, after=1, seconds=0.05) is False
    await followers.close()


@pytest.mark.parametrize("path", ["", "/stream", f"/{UUID(int=1)}"])
async def test_the_feed_is_for_those_who_see_the_whole_shop(shop: Shop, path: str) -> None:
    clerk = await role_holder(shop, scopes=["events:read", "pii:read"], visibility="team")
    async with clerk.client as client:
        answer = await client.get(f"/v1/events{path}")
    assert (answer.status_code, answer.json()["code"]) == (403, "whole_shop_required")


async def test_a_shop_listens_as_often_as_it_may_at_a_time(
    gateway_settings: GatewaySettings, shop: Shop
) -> None:
    key = await shop.key("events:read")
    app = create_app(gateway_settings.model_copy(update={"streams_per_shop": 1}), {})
    async with serving(app, lifespan="on") as url:
        async with listening(url, key), httpx.AsyncClient(base_url=url, trust_env=False) as client:
            bearer = {"authorization": f"Bearer {key}"}
            refused = await client.get("/v1/events/stream", headers=bearer)
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")
            assert refused.headers["retry-after"] == "10"
        streams = app.state.open_streams
        await eventually(lambda: _value(streams.count(shop.tenant_id) == 0))
        async with listening(url, key) as heard:
            assert heard.status == 200
