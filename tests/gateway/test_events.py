"""The feed: gap-free, in one order, from a cursor; the same object everywhere."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter

from gateway.events.catalogue import FeedEvent
from gateway.events.repository import FeedRepository
from gateway.events.retention import Retention
from gateway.events.service import Feed
from shared.contracts.audit import AuditRecorded
from shared.contracts.care import AppointmentDue, AppointmentState
from shared.ids import new_id
from tests.gateway.conftest import Shop, TestClock, make_shop
from tests.gateway.happenings import (
    customer_updated,
    happen,
    listener,
    order_placed,
    ticket_created,
)
from tests.support.harness import ServiceHarness


@pytest.fixture
def services(gateway: FastAPI) -> ServiceHarness:
    return listener(gateway)


@pytest.fixture
async def reader(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    async with await shop.client("events:read", "pii:read") as client:
        yield client


async def everything(reader: httpx.AsyncClient, *, limit: int = 200, **query: str) -> list[dict]:
    """The whole feed, read page by page."""
    found: list[dict] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await reader.get("/v1/events", params={**query, **cursor, "limit": limit})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["data"]
        cursor = {"after": page["next_cursor"]}
        if not page["has_more"]:
            return found


@pytest.mark.capability(164)
async def test_what_happens_is_told_in_one_order_without_a_gap(
    services: ServiceHarness, shop: Shop, reader: httpx.AsyncClient
) -> None:
    updates = [customer_updated(version=n) for n in range(1, 8)]
    await happen(services, shop.tenant_id, *updates, order_placed())
    await happen(services, shop.tenant_id, ticket_created())
    events = await everything(reader, limit=3)
    assert [event["position"] for event in events] == list(range(1, len(events) + 1))
    assert [e["type"] for e in events] == ["customer.updated"] * 7 + [
        "order.placed",
        "ticket.created",
    ]
    TypeAdapter(list[FeedEvent]).validate_python(events)
    order = events[7]["data"]["order"]
    assert (order["number"], order["total"]) == ("#1001", {"amount": "350000", "currency": "VND"})


async def test_a_batch_that_comes_twice_is_told_once(
    services: ServiceHarness, shop: Shop, reader: httpx.AsyncClient
) -> None:
    await happen(services, shop.tenant_id, customer_updated())
    services._positions.clear()
    await happen(services, shop.tenant_id, customer_updated())
    assert len(await everything(reader)) == 1


async def test_services_that_tell_at_the_same_time_leave_no_gap(
    gateway: FastAPI, shop: Shop, reader: httpx.AsyncClient
) -> None:
    """Five consumers at once; a reader meanwhile never sees a later position before an earlier."""
    seen: list[int] = []
    done = asyncio.Event()

    async def follow() -> None:
        cursor = "0"
        while True:
            last_round = done.is_set()
            page = (await reader.get("/v1/events", params={"after": cursor, "limit": 200})).json()
            seen.extend(event["position"] for event in page["data"])
            cursor = page["next_cursor"]
            if last_round and not page["has_more"]:
                return

    async def tell(maker: object) -> None:
        source = listener(gateway)
        for _ in range(12):
            await happen(source, shop.tenant_id, *(maker() for _ in range(5)))  # type: ignore[operator]

    following = asyncio.create_task(follow())
    await asyncio.gather(tell(customer_updated), tell(ticket_created))
    done.set()
    await following
    assert seen == list(range(1, 121))


async def test_audit_records_do_not_cut_batches_to_pieces(
    services: ServiceHarness, shop: Shop, reader: httpx.AsyncClient
) -> None:
    told = [customer_updated(version=1), customer_updated(version=2)]
    audit = (told[0][0], AuditRecorded(records=()))
    await services.receive(shop.tenant_id, "customer", [told[0], audit, told[1]])
    assert [e["data"]["customer"]["version"] for e in await everything(reader)] == [1, 2]


async def test_types_are_filtered_and_the_cursor_goes_on(
    services: ServiceHarness, shop: Shop, reader: httpx.AsyncClient
) -> None:
    await happen(services, shop.tenant_id, *(customer_updated() for _ in range(5)), order_placed())
    page = (await reader.get("/v1/events", params={"types": "order.*,ticket.created"})).json()
    assert [event["type"] for event in page["data"]] == ["order.placed"]
    nothing = (await reader.get("/v1/events", params={"types": "survey.answered"})).json()
    assert (nothing["data"], nothing["next_cursor"], nothing["has_more"]) == ([], "6", False)
    unknown = await reader.get("/v1/events", params={"types": "order.eaten"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "event_type_unknown")


async def test_one_event_is_the_same_object(
    services: ServiceHarness, shop: Shop, reader: httpx.AsyncClient, gateway: FastAPI
) -> None:
    await happen(services, shop.tenant_id, customer_updated())
    [event] = await everything(reader)
    assert (await reader.get(f"/v1/events/{event['id']}")).json() == event
    missing = await reader.get(f"/v1/events/{shop.tenant_id}")
    assert (missing.status_code, missing.json()["code"]) == (404, "event_not_found")
    other = await make_shop(gateway)
    async with await other.client("events:read", "pii:read") as stranger:
        assert (await stranger.get(f"/v1/events/{event['id']}")).status_code == 404
        assert (await everything(stranger)) == []


async def test_personal_data_is_masked_for_who_may_not_see_it(
    services: ServiceHarness, shop: Shop
) -> None:
    await happen(services, shop.tenant_id, customer_updated())
    async with await shop.client("events:read") as client:
        [event] = (await client.get("/v1/events")).json()["data"]
        person = event["data"]["customer"]
        assert (person["email"], person["phone"]) == ("d***@example.com", "***678")
        assert person["code"] == "KH000001"


async def test_where_people_are_met_is_masked_too(services: ServiceHarness, shop: Shop) -> None:
    starts_at = datetime(2026, 3, 1, tzinfo=UTC)
    meeting = AppointmentState(
        appointment_id=new_id(),
        version=1,
        customer_id=new_id(),
        title="Thử áo dài",
        place="12 Lê Lợi, Quận 1",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
    )
    told = (meeting.appointment_id, AppointmentDue(appointment=meeting))
    await happen(services, shop.tenant_id, told)
    async with await shop.client("events:read") as client:
        [event] = (await client.get("/v1/events")).json()["data"]
    assert event["data"]["appointment"]["place"] == "***"


@pytest.mark.parametrize("cursor", ["-1", "x", "1.5", "٣", "9" * 30, "7"])
async def test_what_is_no_cursor_is_refused(reader: httpx.AsyncClient, cursor: str) -> None:
    answer = await reader.get("/v1/events", params={"after": cursor})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/after")


async def test_the_feed_needs_its_scope(shop: Shop) -> None:
    async with await shop.client("customers:read") as client:
        for path in ("/v1/events", "/v1/events/stream", f"/v1/events/{shop.tenant_id}"):
            assert (await client.get(path)).status_code == 403


async def test_what_is_too_old_is_forgotten_and_its_cursor_says_so(
    services: ServiceHarness,
    shop: Shop,
    reader: httpx.AsyncClient,
    clock: TestClock,
    gateway: FastAPI,
) -> None:
    await happen(services, shop.tenant_id, *(customer_updated() for _ in range(4)))
    clock.ahead = timedelta(days=20)
    await happen(services, shop.tenant_id, order_placed())
    clock.ahead = timedelta(days=31)
    await Retention(units=gateway.state.context.units, keep=timedelta(days=30)).sweep()
    gone = await reader.get("/v1/events", params={"after": "2"})
    assert (gone.status_code, gone.json()["code"]) == (410, "cursor_expired")
    assert gone.json()["oldest_cursor"] == "4"
    assert [event["position"] for event in await everything(reader)] == [5]
    assert [event["position"] for event in await everything(reader, after="4")] == [5]
    stream = await reader.get("/v1/events/stream", headers={"last-event-id": "1"})
    assert stream.status_code == 410


async def test_a_time_is_found_among_positions(
    services: ServiceHarness, shop: Shop, clock: TestClock, gateway: FastAPI
) -> None:
    units = gateway.state.context.units
    moments = []
    for day in range(6):
        clock.ahead = timedelta(days=day)
        await happen(services, shop.tenant_id, customer_updated(), customer_updated())
        moments.append(clock.now() + timedelta(hours=1))
    async with units.begin(shop.tenant_id) as uow:
        feed = FeedRepository(uow)
        assert [await feed.position_before(m) for m in moments] == [2, 4, 6, 8, 10, 12]
        assert await feed.position_before(moments[0] - timedelta(days=2)) == 0


async def test_a_reading_stops_looking_for_rare_events_and_says_where(
    services: ServiceHarness, shop: Shop, gateway: FastAPI
) -> None:
    await happen(services, shop.tenant_id, *(customer_updated() for _ in range(9)), order_placed())
    async with gateway.state.context.units.begin(shop.tenant_id) as uow:
        feed = Feed(FeedRepository(uow), window=4)
        steps = []
        after, more = 0, True
        while more:
            page = await feed.read(after, types=frozenset({"order.placed"}), limit=50)
            after, more = page.until, page.has_more
            steps.append((page.until, len(page.events)))
    assert steps == [(4, 0), (8, 0), (10, 1)]
