"""Work that takes too long or that nobody waits for ends, down to the database."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy.engine import make_url

from gateway.settings import GatewaySettings
from tests.gateway.whole import Topology, WholeHouse, whole_house
from tests.support.waiting import eventually

SECONDS = 4.0


@pytest.fixture(scope="module", params=["in process", "over HTTP"])
async def house(
    request: pytest.FixtureRequest, gateway_settings: GatewaySettings
) -> AsyncIterator[WholeHouse]:
    topology: Topology = request.param
    async with whole_house(
        gateway_settings, topology=topology, request_seconds=SECONDS, pool_size=2
    ) as house:
        yield house


@pytest.fixture
async def administrator(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    dsn = make_url(database_url).set(drivername="postgresql")
    connection = await asyncpg.connect(dsn.render_as_string(hide_password=False))
    yield connection
    await connection.close()


@pytest.fixture
async def customer(house: WholeHouse) -> dict[str, Any]:
    async with house.client() as client:
        answer = await client.post("/v1/customers", json={"name": "Lan", "phone": "0912345678"})
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


@asynccontextmanager
async def locked(connection: asyncpg.Connection, customer: dict[str, Any]) -> AsyncIterator[None]:
    """Nobody else can change the customer for as long as this lasts."""
    async with connection.transaction():
        await connection.execute(
            "SELECT 1 FROM customer.customer WHERE id = $1 FOR UPDATE", customer["id"]
        )
        yield


async def _count(connection: asyncpg.Connection, condition: str) -> int:
    """How many connections of the customer service are as the condition says, right now."""
    # Inside a transaction the view shows what it showed first.
    await connection.execute("SELECT pg_stat_clear_snapshot()")
    return int(
        await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            f"AND usename = 'careloop_customer' AND {condition}"
        )
    )


async def waiting(connection: asyncpg.Connection) -> int:
    """How many statements wait for somebody's lock."""
    return await _count(connection, "wait_event_type = 'Lock' AND state = 'active'")


async def open_transactions(connection: asyncpg.Connection) -> int:
    """How many connections are in a transaction."""
    return await _count(connection, "state <> 'idle'")


async def rename(
    house: WholeHouse, customer: dict[str, Any], name: str = "Mai", **headers: str
) -> httpx.Response:
    async with house.client(timeout=60) as client:
        path = f"/v1/customers/{customer['id']}"
        return await client.patch(path, json={"name": name}, headers=headers)


async def name_of(house: WholeHouse, customer: dict[str, Any]) -> str:
    async with house.client() as client:
        answer = await client.get(f"/v1/customers/{customer['id']}")
    name: str = answer.json()["name"]
    return name


async def begin_to_rename(house: WholeHouse, customer: dict[str, Any]) -> asyncio.StreamWriter:
    """Send the request by hand, so that one can hang up."""
    _, writer = await asyncio.open_connection("127.0.0.1", house.port)
    body = json.dumps({"name": "Mai"}).encode()
    head = (
        f"PATCH /v1/customers/{customer['id']} HTTP/1.1\r\nhost: x\r\n"
        f"authorization: Bearer {house.key}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()
    return writer


async def test_what_takes_too_long_is_broken_off_in_the_database_too(
    house: WholeHouse, customer: dict[str, Any], administrator: asyncpg.Connection
) -> None:
    async with locked(administrator, customer):
        asking = asyncio.create_task(rename(house, customer))
        await eventually(lambda: waiting(administrator), lambda count: count == 1)
        answer = await asking
        assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")
        assert answer.json()["request_id"] == answer.headers["x-request-id"]
        # The lock is still held: it is the statement that is gone.
        await eventually(lambda: open_transactions(administrator), lambda count: count == 0)
    assert await name_of(house, customer) == "Lan"


async def test_a_client_that_hangs_up_ends_its_statement(
    house: WholeHouse, customer: dict[str, Any], administrator: asyncpg.Connection
) -> None:
    async with locked(administrator, customer):
        writer = await begin_to_rename(house, customer)
        await eventually(lambda: waiting(administrator), lambda count: count == 1)
        writer.close()
        await writer.wait_closed()
        await eventually(
            lambda: open_transactions(administrator), lambda count: count == 0, seconds=SECONDS - 1
        )
    assert await name_of(house, customer) == "Lan"


async def test_the_connections_are_good_afterwards(
    house: WholeHouse, customer: dict[str, Any], administrator: asyncpg.Connection
) -> None:
    """More of them are broken off than the pool (and its overflow) holds."""
    async with locked(administrator, customer):
        for _ in range(6):
            writer = await begin_to_rename(house, customer)
            await eventually(lambda: waiting(administrator), lambda count: count == 1)
            writer.close()
            await writer.wait_closed()
            await eventually(lambda: open_transactions(administrator), lambda count: count == 0)
    answers = await asyncio.gather(*(rename(house, customer, f"Mai {n}") for n in range(8)))
    assert {answer.status_code for answer in answers} == {200}


async def test_the_same_key_works_after_a_deadline(
    house: WholeHouse, customer: dict[str, Any], administrator: asyncpg.Connection
) -> None:
    once = {"idempotency-key": f"deadline-{customer['id']}"}
    async with locked(administrator, customer):
        broken_off = await rename(house, customer, **once)
    assert broken_off.status_code == 504
    again = await rename(house, customer, **once)
    assert again.status_code == 200
    assert "idempotent-replayed" not in again.headers
    assert await name_of(house, customer) == "Mai"


async def test_what_is_in_time_is_answered(
    house: WholeHouse, customer: dict[str, Any], administrator: asyncpg.Connection
) -> None:
    async with locked(administrator, customer):
        asking = asyncio.create_task(rename(house, customer))
        await eventually(lambda: waiting(administrator), lambda count: count == 1)
    answer = await asking
    assert answer.status_code == 200
    assert await name_of(house, customer) == "Mai"
