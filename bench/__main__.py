"""`make bench`: the hot paths against a bare FastAPI + asyncpg program in the same run.

Prints ratios, not promises in seconds: the machine is noisy, and both sides suffer the same noise.
`make bench ARGS=--quick` takes shorter rounds and fewer customers. The chapters are run one after
the other; `--chapters` chooses some of them, and all but the first are modules to run alone, too.
`ARGS='--only "upsert order" "list 25"'` takes a few tasks of the first chapter and nothing else.
"""

import argparse
import asyncio
import itertools
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import httpx
from rich.console import Console
from rich.table import Table

from bench import customers, duplicates, imports, lists, requests
from bench.bars import Bar, show
from bench.load import Result, Shot, always, fire
from bench.people import load_bare_rows, load_people
from bench.stage import Stage, open_stage
from bench.streaming import latencies, percentile, sustained
from cli.demo.client import Api, Json, until
from cli.demo.shop import Shop, open_shop
from cli.ports import free_port
from gateway.access.scopes import GRANTABLE
from services.customer.customers.record import CustomerRecord
from shared.clock import SystemClock
from shared.ids import TenantId, new_id
from shared.security.principal import PRINCIPAL_HEADER, Principal, PrincipalKind, PrincipalTokens

MANY, FEW = 100_000, 1_000
CONCURRENCY = 16
_console = Console(highlight=False)
Shots = Callable[[], Iterator[Shot]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a round is and how many there are."""

    seconds: float
    rounds: int


@dataclass(frozen=True, slots=True)
class Size:
    """How long a run is: rows of an import and of a scan, customers in a list."""

    pace: Pace
    rows: int
    listed: int


_QUICK = Size(Pace(1.5, 2), rows=20_000, listed=100_000)
_FULL = Size(Pace(3.0, 3), rows=100_000, listed=1_000_000)


@dataclass(frozen=True, slots=True)
class Case:
    """One task, done by the bare program and by the house."""

    name: str
    bare: Shots
    ours: Shots
    bar: float | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """Two shops, one with many customers and one with few, and the people in the larger.

    `masked_key` is a key of the larger that does not see personal data.
    """

    large: Shop
    small: Shop
    people: list[CustomerRecord]
    masked_key: str


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter rounds, fewer customers")
    parser.add_argument("--chapters", nargs="+", choices=_CHAPTERS, default=list(_CHAPTERS))
    parser.add_argument("--only", metavar="TASK", nargs="+", help="these tasks and nothing else")
    asked = parser.parse_args()
    size = _QUICK if asked.quick else _FULL
    if asked.only:
        show(_tasks(size, asked.only))
        return
    bars: list[Bar] = []
    for name, chapter in _CHAPTERS.items():
        if name in asked.chapters:
            bars += chapter(size)
    show(bars)


def _tasks(size: "Size", only: Sequence[str] = ()) -> list[Bar]:
    with open_stage() as stage:
        return asyncio.run(_measure(stage, size.pace, only))


# The last makes its stage the environment of this process.
_CHAPTERS: dict[str, Callable[["Size"], list[Bar]]] = {
    "tasks": _tasks,
    "imports": lambda size: imports.measure(size.rows),
    "lists": lambda size: lists.measure(size.listed),
    "customers": lambda _: customers.measure(),
    "duplicates": lambda size: duplicates.measure(size.rows),
}


async def _measure(stage: Stage, pace: Pace, only: Sequence[str]) -> list[Bar]:
    with stage.house():
        prepared = await _prepare(stage)
        if only:
            return await _compare(stage, prepared, pace, only)
        # First, because the tasks leave a backlog of deliveries and events behind.
        await _stream(stage, prepared)
        bars = await _compare(stage, prepared, pace)
        await _grow(stage, prepared, pace)
        await _gateway(stage, prepared, pace)
    return bars


async def _stream(stage: Stage, prepared: Prepared) -> None:
    with stage.worker():
        found = await latencies(stage, prepared.small)
    flow = await sustained(stage, prepared.large, prepared.people[:FEW])
    _console.print(
        f"\n[bold](c) event stream[/bold]  {flow.per_second:,.0f} events/s to each of "
        f"{flow.subscribers} subscribers = {flow.per_second * flow.subscribers:,.0f} "
        "deliveries/s (bar 3,000 events/s)"
    )
    _console.print(
        f"    commit -> segment entered, idle, n={len(found)}: "
        f"p50 {percentile(found, 50):.0f} ms, p95 {percentile(found, 95):.0f} ms (bar 500 ms)"
    )


async def _prepare(stage: Stage) -> Prepared:
    _console.print(f"Preparing {MANY:,} customers …")
    async with httpx.AsyncClient(base_url=stage.base_url, timeout=60, trust_env=False) as http:
        with stage.worker():
            large = await open_shop(http, operator_key=stage.operator_key, name="L", slug="large")
            small = await open_shop(http, operator_key=stage.operator_key, name="S", slug="small")
            for shop in (large, small):
                for word in ("automations", "queues", "segments"):
                    look = partial(Api(http, shop.api_key).get, f"/v1/{word}")
                    await until(look, _has_data, what=f"the shop has {word}")
        owner = {"email": large.owner_email, "password": large.owner_password}
        session = await Api(http).post("/v1/auth/login", owner)
        masked = {"name": "Masked", "scopes": ["customers:read"]}
        key = await Api(http, session["access_token"]).post("/v1/api-keys", masked)
    people = await load_people(stage.dsn, UUID(large.tenant_id), MANY)
    await load_people(stage.dsn, UUID(small.tenant_id), FEW)
    await load_bare_rows(stage.dsn, people)
    return Prepared(large, small, people, key["key"])


async def _compare(
    stage: Stage, prepared: Prepared, pace: Pace, only: Sequence[str] = ()
) -> list[Bar]:
    bars: list[Bar] = []
    _console.print(f"\n[bold](a) tasks[/bold], c={CONCURRENCY}, {MANY:,} customers, no worker")
    table = Table("task", "bare /s", "ours /s", "ratio", "bar", "p50 ms", "p95 ms", box=None)
    for case in (each for each in _cases(stage, prepared) if not only or each.name in only):
        bare, ours = await _alternate(stage, case, pace)
        ratio = statistics.median(
            o.per_second / b.per_second for o, b in zip(ours, bare, strict=True)
        )
        if case.bar:
            bars.append(Bar(case.name, ratio, case.bar, "of bare", at_least=True))
        last = ours[-1]
        failures = sum(result.failures for result in ours + bare)
        note = f"  [red]{failures} failed[/red]" if failures else ""
        table.add_row(
            case.name + note,
            f"{statistics.median(b.per_second for b in bare):,.0f}",
            f"{statistics.median(o.per_second for o in ours):,.0f}",
            f"{ratio:.2f}",
            f"{case.bar:.2f}" if case.bar else "",
            f"{last.percentile(50):.1f}",
            f"{last.percentile(95):.1f}",
        )
    _console.print(table)
    return bars


async def _alternate(stage: Stage, case: Case, pace: Pace) -> tuple[list[Result], list[Result]]:
    bare, ours = [], []
    await fire(stage.base_url, case.ours, concurrency=CONCURRENCY, seconds=0.5)
    await stage.analyze()
    for _ in range(pace.rounds):
        bare.append(
            await fire(stage.bare_url, case.bare, concurrency=CONCURRENCY, seconds=pace.seconds)
        )
        ours.append(
            await fire(stage.base_url, case.ours, concurrency=CONCURRENCY, seconds=pace.seconds)
        )
    return bare, ours


def _cases(stage: Stage, prepared: Prepared) -> list[Case]:
    bare, base, key = stage.bare_url, stage.base_url, prepared.large.api_key
    person = prepared.people[MANY // 2]
    hook = prepared.large.connection("shopify")
    hook_url = f"{base}/v1/hooks/shopify/{hook.id}"
    everybody = [str(p.id) for p in prepared.people]
    ids = everybody[:1000]
    starts = itertools.count(200_000, 1_000_000)
    search = "q=bui+thi+huong"
    return [
        Case(
            "create customer",
            lambda: requests.customers(f"{bare}/rows", None, start=next(starts)),
            lambda: requests.customers(f"{base}/v1/customers", key, start=next(starts)),
            0.15,
        ),
        Case(
            "get customer",
            always(requests.get(f"{bare}/rows/{person.id}")),
            always(requests.get(f"{base}/v1/customers/{person.id}", key)),
            0.30,
        ),
        Case(
            "list 25",
            always(requests.get(f"{bare}/rows?limit=25")),
            always(requests.get(f"{base}/v1/customers?limit=25", key)),
            0.30,
        ),
        Case(
            "get, masked",
            always(requests.get(f"{bare}/rows/{person.id}")),
            always(requests.get(f"{base}/v1/customers/{person.id}", prepared.masked_key)),
            None,
        ),
        Case(
            "list 25, masked",
            always(requests.get(f"{bare}/rows?limit=25")),
            always(requests.get(f"{base}/v1/customers?limit=25", prepared.masked_key)),
            None,
        ),
        Case(
            "search by name",
            always(requests.get(f"{bare}/search?q=huong")),
            always(requests.get(f"{base}/v1/customers?limit=25&{search}", key)),
            None,
        ),
        Case(
            "receive webhook",
            lambda: requests.bare_webhooks(f"{bare}/raw"),
            lambda: requests.webhooks(hook_url, hook.secret),
            0.20,
        ),
        Case(
            "upsert order",
            lambda: requests.bare_orders(f"{bare}/rows"),
            lambda: requests.orders(f"{base}/v1/orders", key, everybody, start=next(starts)),
            0.12,
        ),
        Case(
            "create ticket",
            lambda: requests.bare_tickets(f"{bare}/rows"),
            lambda: requests.tickets(f"{base}/v1/tickets", key, ids),
            None,
        ),
    ]


async def _grow(stage: Stage, prepared: Prepared, pace: Pace) -> None:
    _console.print(f"\n[bold]    growth[/bold], p95 at {MANY:,} / p95 at {FEW:,} customers (bar 2)")
    for name, query in (
        ("list", "limit=25"),
        ("search, a name", "limit=25&q=bui+thi+huong"),
        ("search, two words", "limit=25&q=huong+bui"),
    ):
        ratios = []
        for _ in range(pace.rounds):
            many, few = [
                await fire(
                    stage.base_url,
                    always(requests.get(f"{stage.base_url}/v1/customers?{query}", shop.api_key)),
                    concurrency=4,
                    seconds=pace.seconds,
                )
                for shop in (prepared.large, prepared.small)
            ]
            ratios.append(many.percentile(95) / few.percentile(95))
        _console.print(f"    {name:18} {statistics.median(ratios):.2f}")


async def _gateway(stage: Stage, prepared: Prepared, pace: Pace) -> None:
    """One GET, straight to the service, through the gateway in process, and over HTTP."""
    environment = stage.installation.environment
    tokens = PrincipalTokens(root_key=environment["CARELOOP_SECRET_KEY"], clock=SystemClock())
    path = f"/v1/customers/{prepared.people[0].id}"
    caller = Principal(
        TenantId(UUID(prepared.large.tenant_id)),
        PrincipalKind.API_KEY,
        "bench",
        GRANTABLE,
        new_id().hex,
    )
    with (
        stage.part("customer", free_port()) as direct,
        stage.part("gateway", free_port(), CARELOOP_UPSTREAM_CUSTOMER=direct) as split,
    ):

        def straight() -> Iterator[Shot]:
            while True:
                headers = {PRINCIPAL_HEADER: tokens.mint(caller)}
                yield Shot.of("GET", direct + path, headers=headers)

        ways: dict[str, tuple[str, Shots]] = {
            "service alone": (direct, straight),
            "gateway in process": (
                stage.base_url,
                always(requests.get(stage.base_url + path, prepared.large.api_key)),
            ),
            "gateway over HTTP": (
                split,
                always(requests.get(split + path, prepared.large.api_key)),
            ),
        }
        table = Table("way", f"/s at c={CONCURRENCY}", "of alone", "p50 ms at c=1", box=None)
        alone = 0.0
        for name, (url, shots) in ways.items():
            many = await fire(url, shots, concurrency=CONCURRENCY, seconds=pace.seconds)
            one = await fire(url, shots, concurrency=1, seconds=pace.seconds)
            alone = alone or many.per_second
            share = many.per_second / alone
            figures = (f"{many.per_second:,.0f}", f"{share:.2f}", f"{one.percentile(50):.2f}")
            table.add_row(name, *figures)
    _console.print("\n[bold](b) gateway[/bold], GET one customer")
    _console.print(table)


def _has_data(page: Json) -> bool:
    return bool(page["data"])


if __name__ == "__main__":
    main()
