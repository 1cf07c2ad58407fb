"""The event stream: how many events a second, and how long from a commit to its effect."""

import asyncio
import statistics
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import asyncpg
import httpx

from bench.stage import Stage
from cli.demo.client import Api, until
from cli.demo.shop import Shop
from services.customer.customers.record import CustomerRecord
from shared.contracts.customer import CustomerUpdated
from shared.contracts.topology import SUBSCRIPTIONS
from shared.ids import new_id

_EVENTS = 30_000
_SAMPLES = 60


@dataclass(frozen=True, slots=True)
class Flow:
    """A backlog carried to everybody who subscribed to it."""

    events: int
    subscribers: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Events that reached every subscriber, a second."""
        return self.events / self.seconds


async def sustained(stage: Stage, shop: Shop, people: list[CustomerRecord]) -> Flow:
    """Write a backlog of customer updates, start the worker, wait until everybody has it."""
    tenant = UUID(shop.tenant_id)
    connection = await asyncpg.connect(stage.dsn)
    subscribers = SUBSCRIPTIONS["customer"]
    try:
        await _append(connection, tenant, people)
        last = await _positions(connection, tenant)
        with stage.worker():
            # The worker's own start is not the stream's: count from the first event applied.
            first = await _reached(connection, tenant, subscribers, last + 1)
            started = time.perf_counter()
            total = await _reached(connection, tenant, subscribers, last + _EVENTS)
            seconds = time.perf_counter() - started
        return Flow(total - first, len(subscribers), seconds)
    finally:
        await connection.close()


async def latencies(stage: Stage, shop: Shop) -> list[float]:
    """Milliseconds from the commit of an order to the commit of its customer's new membership.

    Both ends are taken from the database's clock; the system is idle in between.
    """
    headers = {"Authorization": f"Bearer {shop.api_key}"}
    async with httpx.AsyncClient(
        base_url=stage.base_url, headers=headers, timeout=30, trust_env=False
    ) as http:
        warm = await _order(http, "warm")
        await until(
            partial(Api(http, shop.api_key).get, "/v1/segment-memberships", customer_id=warm),
            lambda found: found["data"],
            what="the worker is up and has caught up",
            seconds=60,
        )
        started = datetime.now(UTC)
        for number in range(_SAMPLES):
            last = await _order(http, str(number))
            await asyncio.sleep(0.15)
        await until(
            partial(Api(http, shop.api_key).get, "/v1/segment-memberships", customer_id=last),
            lambda found: found["data"],
            what="the last order took effect",
        )
    connection = await asyncpg.connect(stage.dsn)
    try:
        rows = await connection.fetch(
            """
            SELECT extract(epoch FROM min(e.recorded_at) - min(o.recorded_at)) * 1000 AS ms
            FROM customer.outbox o
            JOIN segmentation.outbox e ON e.tenant_id = o.tenant_id AND e.key = o.key
            WHERE o.tenant_id = $1 AND o.type = 'customer.order_placed' AND o.recorded_at > $2
              AND e.type = 'segmentation.segment_entered'
            GROUP BY o.key
            """,
            UUID(shop.tenant_id),
            started,
        )
    finally:
        await connection.close()
    return sorted(float(row["ms"]) for row in rows)


def percentile(values: list[float], percent: int) -> float:
    """The value that `percent` of the values do not exceed."""
    return statistics.quantiles(values, n=100)[percent - 1]


async def _append(
    connection: asyncpg.Connection, tenant: UUID, people: list[CustomerRecord]
) -> None:
    events = []
    for number in range(_EVENTS):
        person = people[number % len(people)]
        version = 2 + number // len(people)
        state = person.state().model_copy(update={"version": version, "city": f"City {number}"})
        data = CustomerUpdated(customer=state).model_dump_json()
        events.append(
            (tenant, new_id(), 0, person.id, CustomerUpdated.type, data, "{}", person.updated_at)
        )
    await connection.copy_records_to_table(
        "outbox",
        schema_name="customer",
        columns=("tenant_id", "id", "split", "key", "type", "data", "context", "occurred_at"),
        records=events,
    )


async def _positions(connection: asyncpg.Connection, tenant: UUID) -> int:
    found = await connection.fetchval(
        "SELECT last_position FROM customer.stream WHERE tenant_id = $1 AND split = 0", tenant
    )
    return int(found or 0)


async def _reached(
    connection: asyncpg.Connection, tenant: UUID, subscribers: Collection[str], position: int
) -> int:
    """Wait until every subscriber is at `position` or further; where the slowest one is."""
    # Another process moves the cursors: nothing here could set an event.
    while (slowest := await _slowest(connection, tenant, subscribers)) < position:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    return slowest


async def _slowest(
    connection: asyncpg.Connection, tenant: UUID, subscribers: Collection[str]
) -> int:
    positions = [
        await connection.fetchval(
            f"SELECT position FROM {consumer}.cursor "
            "WHERE tenant_id = $1 AND source = 'customer' AND split = 0",
            tenant,
        )
        for consumer in subscribers
    ]
    return min(int(position or 0) for position in positions)


async def _order(http: httpx.AsyncClient, number: str) -> str:
    """A new customer's first paid order; the customer."""
    person = {"name": f"Khách {number}", "email": f"latency{number}@example.com"}
    customer = (await http.post("/v1/customers", json=person)).raise_for_status().json()
    money = {"amount": "150000", "currency": "VND"}
    order = {
        "customer_id": customer["id"],
        "external_id": f"latency-{number}",
        "financial_status": "paid",
        "total": money,
        "lines": [{"title": "Khăn lụa", "quantity": 1, "unit_price": money, "total": money}],
    }
    (await http.post("/v1/orders", json=order)).raise_for_status()
    return str(customer["id"])
