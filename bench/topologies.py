"""`python -m bench.topologies`: what a hop over HTTP costs, and what a CPU second buys.

The same requests go straight to the customer service, through the gateway in one process with it,
and through the gateway over HTTP. CPU seconds are those of our own processes (`/proc`), not of
PostgreSQL: on a busy machine they say more than requests per second do.
"""

import argparse
import asyncio
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import httpx
from rich.console import Console
from rich.table import Table

from bench import requests
from bench.cpu import cpu_seconds
from bench.load import Result, Shot, always, fire
from bench.stage import Stage, open_stage
from cli.demo.client import Api, until
from cli.demo.shop import Shop, open_shop
from cli.ports import free_port
from gateway.access.scopes import GRANTABLE
from shared.clock import SystemClock
from shared.ids import TenantId, new_id
from shared.security.principal import PRINCIPAL_HEADER, Principal, PrincipalKind, PrincipalTokens

CONCURRENCY = 16
HOP_BAR_MS = 3.0
_console = Console(highlight=False)
Shots = Callable[[], Iterator[Shot]]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to the customer service."""

    name: str
    url: str
    processes: Sequence[int]
    read: Shots
    write: Shots


@dataclass(frozen=True, slots=True)
class Measured:
    """What a way was worth."""

    read: float
    write: float
    per_second: float
    alone_ms: float
    failures: int


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter rounds")
    seconds = 1.5 if parser.parse_args().quick else 4.0
    with open_stage() as stage:
        stage.installation.environment["CARELOOP_RATE_LIMITS"] = "false"
        asyncio.run(_measure(stage, seconds))


async def _measure(stage: Stage, seconds: float) -> None:
    with ExitStack() as stack:
        house = stack.enter_context(stage.house())
        shop, customer_id = await _prepare(stage)
        direct = free_port()
        alone = stack.enter_context(stage.serving("customer", direct)).pids
        upstream = {"CARELOOP_UPSTREAM_CUSTOMER": f"http://127.0.0.1:{direct}"}
        door = free_port()
        gateway = stack.enter_context(stage.serving("gateway", door, **upstream)).pids
        starts = itertools.count(1_000_000, 1_000_000)
        through = partial(_through_gateway, shop, customer_id, starts)
        ways = [
            _straight(stage, f"http://127.0.0.1:{direct}", alone, shop, customer_id, starts),
            through("all in one", stage.base_url, house.pids),
            through("split", f"http://127.0.0.1:{door}", [*gateway, *alone]),
        ]
        measured = {way.name: await _worth(way, seconds) for way in ways}
    _tell(measured)


async def _prepare(stage: Stage) -> tuple[Shop, str]:
    async with httpx.AsyncClient(base_url=stage.base_url, timeout=60, trust_env=False) as http:
        with stage.worker():
            shop = await open_shop(http, operator_key=stage.operator_key, name="T", slug="topology")
            api = Api(http, shop.api_key)
            person = {"name": "Nguyễn Văn Một", "email": "mot@example.com"}
            made = await until(
                partial(api.post, "/v1/customers", person),
                lambda found: found["id"],
                what="the shop takes customers",
            )
    return shop, made["id"]


def _through_gateway(
    shop: Shop,
    customer_id: str,
    starts: Iterator[int],
    name: str,
    url: str,
    processes: Sequence[int],
) -> Way:
    return Way(
        name,
        url,
        processes,
        always(requests.get(f"{url}/v1/customers/{customer_id}", shop.api_key)),
        lambda: requests.customers(f"{url}/v1/customers", shop.api_key, start=next(starts)),
    )


def _straight(
    stage: Stage,
    url: str,
    processes: Sequence[int],
    shop: Shop,
    customer_id: str,
    starts: Iterator[int],
) -> Way:
    """Past the gateway, with the token that it would have made."""
    secret = stage.installation.environment["CARELOOP_SECRET_KEY"]
    tokens = PrincipalTokens(root_key=secret, clock=SystemClock())
    caller = Principal(
        TenantId(UUID(shop.tenant_id)), PrincipalKind.API_KEY, "bench", GRANTABLE, new_id().hex
    )

    def read() -> Iterator[Shot]:
        while True:
            headers = {PRINCIPAL_HEADER: tokens.mint(caller)}
            yield Shot.of("GET", f"{url}/v1/customers/{customer_id}", headers=headers)

    def write() -> Iterator[Shot]:
        for made in requests.customers(f"{url}/v1/customers", None, start=next(starts)):
            token = f"{PRINCIPAL_HEADER}: {tokens.mint(caller)}\r\n".encode()
            line, rest = made.raw.split(b"\r\n", 1)
            yield Shot(line + b"\r\n" + token + rest)

    return Way("service alone", url, processes, read, write)


async def _worth(way: Way, seconds: float) -> Measured:
    await fire(way.url, way.read, concurrency=CONCURRENCY, seconds=0.5)
    one = await fire(way.url, way.read, concurrency=1, seconds=seconds)
    before = cpu_seconds(way.processes)
    reads = await fire(way.url, way.read, concurrency=CONCURRENCY, seconds=seconds)
    between = cpu_seconds(way.processes)
    writes = await fire(way.url, way.write, concurrency=CONCURRENCY, seconds=seconds)
    after = cpu_seconds(way.processes)
    return Measured(
        read=reads.requests / (between - before),
        write=writes.requests / (after - between),
        per_second=reads.per_second,
        alone_ms=one.percentile(50),
        failures=_failures(one, reads, writes),
    )


def _failures(*results: Result) -> int:
    return sum(result.failures for result in results)


def _tell(measured: dict[str, Measured]) -> None:
    table = Table(
        "way",
        "GET per CPU s",
        "POST per CPU s",
        f"GET/s c={CONCURRENCY}",
        "GET p50 ms c=1",
        "failed",
        box=None,
    )
    for name, worth in measured.items():
        table.add_row(
            name,
            f"{worth.read:,.0f}",
            f"{worth.write:,.0f}",
            f"{worth.per_second:,.0f}",
            f"{worth.alone_ms:.2f}",
            str(worth.failures),
        )
    _console.print(table)
    one, split = measured["all in one"], measured["split"]
    hop = split.alone_ms - measured["service alone"].alone_ms
    _console.print(
        f"split / all-in-one, requests per CPU second: GET {split.read / one.read:.2f}, "
        f"POST {split.write / one.write:.2f}\n"
        f"gateway and HTTP hop: +{hop:.2f} ms p50 (bar {HOP_BAR_MS:.0f} ms)"
    )


if __name__ == "__main__":
    main()
