"""`python -m bench.webhooks`: what one dead receiver costs the others.

Shops with a thousand endpoints in all are sent events at a steady pace; then the same again while
one endpoint takes connections and never answers. Compared is the delay from the commit of an event
in its service to its arrival at the endpoints that live. Bar: p95 at most 1.2 times.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import httpx
from aiohttp import web
from rich.console import Console
from rich.table import Table

from bench.stage import ROOT, Stage, open_stage
from bench.streaming import percentile
from cli.demo.shop import Shop, open_shop
from cli.ports import free_port
from shared.contracts.customer import CustomerState, CustomerUpdated
from shared.ids import new_id
from shared.queue.producer import Queue
from shared.stream.relay import RELAY

BAR = 1.2
_console = Console(highlight=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is sent, and for how long."""

    shops: int
    endpoints: int
    every_seconds: float
    seconds: float
    rounds: int

    @property
    def requests_a_second(self) -> float:
        return self.endpoints / self.every_seconds


@dataclass(slots=True)
class Delays:
    """Milliseconds from commit to arrival, of the dead endpoint's own shop and of all."""

    of_all: list[float] = field(default_factory=list)
    of_its_shop: list[float] = field(default_factory=list)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--receive", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--endpoints", type=int, default=1000)
    parser.add_argument("--shops", type=int, default=10)
    parser.add_argument("--every", type=float, default=4.0, help="seconds between a shop's events")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of a round")
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    if given.receive:
        web.run_app(_receiver(), host="127.0.0.1", port=given.receive, print=None)
        return
    plan = Plan(given.shops, given.endpoints, given.every, given.seconds, given.rounds)
    with open_stage() as stage:
        stage.installation.environment |= {"CARELOOP_RATE_LIMITS": "false"}
        asyncio.run(_measure(stage, plan))


async def _measure(stage: Stage, plan: Plan) -> None:
    with _receiving() as receiver, stage.house():
        async with httpx.AsyncClient(base_url=stage.base_url, timeout=60, trust_env=False) as http:
            with stage.worker():
                shops = [
                    await open_shop(http, operator_key=stage.operator_key, name="W", slug=f"w{n}")
                    for n in range(plan.shops)
                ]
                await _make_endpoints(http, shops, receiver, plan)
                _console.print(
                    f"{plan.endpoints:,} endpoints of {plan.shops} shops,"
                    f" {plan.requests_a_second:,.0f} requests/s"
                )
                await _round(stage, shops, receiver, plan, dead=False)
                rounds = [
                    (
                        await _round(stage, shops, receiver, plan, dead=False),
                        await _round(stage, shops, receiver, plan, dead=True),
                    )
                    for _ in range(plan.rounds)
                ]
    _report([alive for alive, _ in rounds], [dead for _, dead in rounds])


def _report(alive: list[Delays], dead: list[Delays]) -> None:
    if not all(each.of_its_shop for each in (*alive, *dead)):
        raise SystemExit("Too little arrived in time: the machine is busy with something else")
    table = Table("the others' delay, ms", "p50", "p95", "p99", "n", box=None)
    p95: dict[str, float] = {}
    for name, found in (
        ("all alive", _joined(alive, "of_all")),
        ("one dead", _joined(dead, "of_all")),
        ("one dead, in its own shop", _joined(dead, "of_its_shop")),
        ("all alive, in that shop", _joined(alive, "of_its_shop")),
    ):
        p95[name] = percentile(found, 95)
        figures = [f"{percentile(found, percent):.0f}" for percent in (50, 95, 99)]
        table.add_row(name, *figures, f"{len(found):,}")
    _console.print(table)
    ratio = p95["one dead"] / p95["all alive"]
    own = p95["one dead, in its own shop"] / p95["all alive, in that shop"]
    _console.print(f"p95 ratio {ratio:.2f}, within its own shop {own:.2f} (bar {BAR})")


def _joined(delays: list[Delays], name: str) -> list[float]:
    return list(itertools.chain.from_iterable(getattr(each, name) for each in delays))


async def _make_endpoints(
    http: httpx.AsyncClient, shops: list[Shop], receiver: str, plan: Plan
) -> None:
    for number in range(plan.endpoints):
        shop = shops[number % len(shops)]
        url = f"{receiver}/in/{number % len(shops)}/{number}"
        answer = await http.post(
            "/v1/webhook-endpoints",
            json={"url": url, "event_types": ["customer.updated"]},
            headers={"Authorization": f"Bearer {shop.api_key}"},
        )
        answer.raise_for_status()


async def _round(
    stage: Stage, shops: list[Shop], receiver: str, plan: Plan, *, dead: bool
) -> Delays:
    """Let events happen at a steady pace, and ask the receiver when they arrived."""
    async with httpx.AsyncClient(base_url=receiver, timeout=60, trust_env=False) as control:
        await control.post("/begin", params={"dead": str(int(dead))})
        async with _outbox(stage) as (connection, queue):
            events = 0
            deadline = time.monotonic() + plan.seconds
            for shop in itertools.cycle(shops):
                if time.monotonic() >= deadline:
                    break
                await _happen(connection, UUID(shop.tenant_id))
                await queue.enqueue("customer", RELAY, UUID(shop.tenant_id).hex)
                events += 1
                await asyncio.sleep(plan.every_seconds / len(shops))
        expected = events * plan.endpoints // len(shops)
        await _settled(control, expected)
        found = (await control.post("/end")).json()
        _console.print(f"{'one dead' if dead else 'all alive'}: {len(found['of_all']):,} arrived")
    return Delays(found["of_all"], found["of_its_shop"])


async def _settled(control: httpx.AsyncClient, expected: int) -> None:
    """Wait until all who live have what they shall have, or for half a minute."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if (await control.get("/count")).json()["count"] >= expected * 0.985:
            return
        await asyncio.sleep(0.2)


@contextlib.asynccontextmanager
async def _outbox(stage: Stage) -> AsyncIterator[tuple[asyncpg.Connection, Queue]]:
    connection = await asyncpg.connect(stage.dsn)
    queue = Queue(stage.installation.environment["REDIS_URL"])
    try:
        yield connection, queue
    finally:
        await queue.close()
        await connection.close()


async def _happen(connection: asyncpg.Connection, tenant: UUID) -> None:
    """A customer is updated, as the customer service would tell it."""
    now = datetime.now(UTC)
    state = CustomerState(
        customer_id=new_id(),
        version=1,
        code="KH000001",
        stage="customer",
        name="Nguyễn Văn Đức",
        source="api",
        created_at=now,
        updated_at=now,
    )
    await connection.execute(
        """
        INSERT INTO customer.outbox
            (tenant_id, id, split, key, type, data, context, occurred_at)
        VALUES ($1, $2, 0, $3, $4, $5, '{}', $6)
        """,
        *(tenant, new_id(), state.customer_id, CustomerUpdated.type),
        CustomerUpdated(customer=state).model_dump_json(),
        now,
    )


@contextmanager
def _receiving() -> Iterator[str]:
    """The receiver as a process of its own."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.webhooks", "--receive", str(port)],
        cwd=ROOT,
        env=dict(os.environ),
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/count")
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(url, timeout=2, trust_env=False).raise_for_status()
            return
        time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer")


def _receiver() -> web.Application:
    """Endpoint 0 of shop 0 is the one that may be dead; it is counted in no round."""
    app = web.Application()
    delays = Delays()
    alive = asyncio.Event()

    async def take(request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        arrived = datetime.now(UTC)
        shop, number = request.match_info["shop"], request.match_info["number"]
        if number == "0":
            await alive.wait()
            return web.Response()
        delay = (arrived - datetime.fromisoformat(body["occurred_at"])).total_seconds() * 1000
        delays.of_all.append(delay)
        if shop == "0":
            delays.of_its_shop.append(delay)
        return web.Response()

    async def begin(request: web.Request) -> web.Response:
        delays.of_all.clear()
        delays.of_its_shop.clear()
        if request.query["dead"] == "1":
            alive.clear()
        else:
            alive.set()
        return web.Response()

    async def end(_request: web.Request) -> web.Response:
        alive.set()
        return web.json_response({"of_all": delays.of_all, "of_its_shop": delays.of_its_shop})

    async def count(_request: web.Request) -> web.Response:
        return web.json_response({"count": len(delays.of_all)})

    app.router.add_post("/in/{shop}/{number}", take)
    app.router.add_post("/begin", begin)
    app.router.add_post("/end", end)
    app.router.add_get("/count", count)
    return app


if __name__ == "__main__":
    main()
