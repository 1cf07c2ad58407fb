"""`python -m bench.manners`: what rate limiter, Idempotency-Key and audit log cost, one by one.

Houses with and without them take turns at creating customers, on the same database and in the same
run. The bar is on all three together: at most a quarter of the rate.
"""

import argparse
import asyncio
import itertools
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import httpx
from rich.console import Console
from rich.table import Table

from bench import requests
from bench.cpu import cpu_seconds
from bench.load import fire
from bench.stage import ROOT, Stage, open_stage
from cli.demo.client import Api, until
from cli.demo.shop import Shop, open_shop
from cli.ports import free_port
from cli.processes import Children
from cli.readiness import wait_until_ready

CONCURRENCY = 16
BAR = 0.25
_WARM_SECONDS = 1.0
_console = Console(highlight=False)
_starts = itertools.count(1_000_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class House:
    """A running API and how it is asked."""

    url: str
    pid: int
    idempotent: bool


@dataclass(frozen=True, slots=True)
class Round:
    """One turn of one house."""

    per_second: float
    cpu_micros: float
    failures: int


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="of one turn")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with open_stage() as stage, ExitStack() as stack:
        shop = asyncio.run(_open_shop(stage))
        houses = _houses(stage, stack)
        measured = asyncio.run(_measure(houses, shop, given.seconds, given.rounds))
    _tell(measured)


async def _open_shop(stage: Stage) -> Shop:
    with stage.house(), stage.worker():
        async with httpx.AsyncClient(base_url=stage.base_url, timeout=60, trust_env=False) as http:
            shop = await open_shop(http, operator_key=stage.operator_key, name="M", slug="manners")
            look = partial(Api(http, shop.api_key).get, "/v1/segments")
            await until(
                look,
                lambda page: bool(page["data"]),
                what="the shop has segments",
                seconds=120,
            )
    return shop


def _houses(stage: Stage, stack: ExitStack) -> dict[str, House]:
    unlimited = {"CARELOOP_RATE_LIMITS": "false"}
    bare = stack.enter_context(_serving(stage, "bench.unaudited", unlimited))
    limited = stack.enter_context(_serving(stage, "bench.unaudited", {}))
    audited = stack.enter_context(_serving(stage, "cli.main", unlimited))
    whole = stack.enter_context(_serving(stage, "cli.main", {}))
    return {
        "nothing": House(*bare, idempotent=False),
        "limiter": House(*limited, idempotent=False),
        "Idempotency-Key": House(*bare, idempotent=True),
        "audit log": House(*audited, idempotent=False),
        "all three": House(*whole, idempotent=True),
    }


async def _measure(
    houses: Mapping[str, House], shop: Shop, seconds: float, rounds: int
) -> dict[str, list[Round]]:
    measured: dict[str, list[Round]] = {name: [] for name in houses}
    for house in houses.values():
        await _turn(house, shop, _WARM_SECONDS)
    for _ in range(rounds):
        for name, house in houses.items():
            measured[name].append(await _turn(house, shop, seconds))
    return measured


async def _turn(house: House, shop: Shop, seconds: float) -> Round:
    spent = cpu_seconds([house.pid])
    result = await fire(
        house.url,
        lambda: requests.customers(
            f"{house.url}/v1/customers",
            shop.api_key,
            start=next(_starts),
            idempotent=house.idempotent,
        ),
        concurrency=CONCURRENCY,
        seconds=seconds,
    )
    spent = cpu_seconds([house.pid]) - spent
    return Round(result.per_second, spent / result.requests * 1e6, result.failures)


def _tell(measured: Mapping[str, list[Round]]) -> None:
    table = Table("with", "/s", "of nothing", "CPU us per request", "failed", box=None)
    bare = measured["nothing"]
    share = 1.0
    for name, rounds in measured.items():
        share = statistics.median(
            mine.per_second / theirs.per_second for mine, theirs in zip(rounds, bare, strict=True)
        )
        table.add_row(
            name,
            f"{statistics.median(r.per_second for r in rounds):,.0f}",
            f"{share:.2f}",
            f"{statistics.median(r.cpu_micros for r in rounds):,.0f}",
            str(sum(r.failures for r in rounds)),
        )
    _console.print(f"\n[bold]manners[/bold], create customer, c={CONCURRENCY}, no worker")
    _console.print(table)
    _console.print(f"all three cost {1 - share:.0%} of the rate (bar {BAR:.0%})")


@contextmanager
def _serving(
    stage: Stage, module: str, environment: Mapping[str, str]
) -> Iterator[tuple[str, int]]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", module, "serve", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, **stage.installation.environment, **environment},
    )
    try:
        wait_until_ready(url, children=Children({}), seconds=60)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(30)


if __name__ == "__main__":
    main()
