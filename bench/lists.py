"""`python -m bench.lists`: pages, filters, orders and search of customers, against bare SQL.

Twice, each against its like:

- **the database's part**: one bare statement on the same tables and data as the superuser, with no
  wall between tenants, against all that the house asks for the page, in a transaction, as the
  service's role, behind the wall. That is what has to stay fast as the table grows: the bar.
- **the whole request**: the bare statement over HTTP, answered as JSON by a program that does
  nothing else, against the house's request with key, scopes, and personal data recorded. What
  requests cost besides is measured by `python -m bench`, at full load, and has its bars there.

`--million` takes 1,000,000 customers.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from rich.console import Console
from rich.table import Table

from bench import requests
from bench.bars import Bar
from bench.crowd import load_crowd
from bench.list_questions import FIELDS, Question, questions
from bench.load import Result, Shot, always, fire
from bench.reading import Reader, open_reader
from bench.stage import Stage, open_stage
from cli.demo.client import Api
from cli.demo.shop import open_shop
from shared.json import dumps

_console = Console(highlight=False)
BAR = 2.0
_ROUNDS, _SECONDS = 5, 0.7
_HEAD = ("SQL, bare", "ours", "ratio", "request, bare", "ours", "ratio")


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--million", action="store_true", help="1,000,000 customers")
    asked = parser.parse_args()
    measure(1_000_000 if asked.million else asked.customers)


def measure(count: int) -> list[Bar]:
    """The chapter of `python -m bench`: the ratios of all questions."""
    with open_stage() as stage, stage.house():
        return asyncio.run(_measure(stage, count))


async def _measure(stage: Stage, count: int) -> list[Bar]:
    async with httpx.AsyncClient(base_url=stage.base_url, timeout=60, trust_env=False) as http:
        with stage.worker():
            shop = await open_shop(http, operator_key=stage.operator_key, name="L", slug="large")
        api = Api(http, shop.api_key)
        fields = {key: UUID(await _define(api, key, more)) for key, more in FIELDS.items()}
    tenant_id = UUID(shop.tenant_id)
    began = time.perf_counter()
    await load_crowd(stage.dsn, tenant_id, count, fields)
    _console.print(f"{count:,} customers in {time.perf_counter() - began:.0f} s")
    bars: list[Bar] = []
    table = Table("p95 of a page of 50, ms", *_HEAD, box=None)
    connection = await asyncpg.connect(stage.dsn)
    try:
        async with open_reader(stage, tenant_id) as reader:
            for question in questions(count, fields):
                sides = _sides(stage, shop.api_key, tenant_id, question, connection, reader)
                rounds = [[await side() for side in sides] for _ in range(_ROUNDS + 1)][1:]
                failures = sum(result.failures for taken in rounds for result in taken)
                note = f"  [red]{failures} failed[/red]" if failures else ""
                bare, ours, bare_request, request = (
                    statistics.median(taken[side].percentile(95) for taken in rounds)
                    for side in range(len(sides))
                )
                ratio, of_request = (_ratio(rounds, ours=side, bare=side - 1) for side in (1, 3))
                figures = (bare, ours, ratio, bare_request, request, of_request)
                cells = [f"{each:.2f}" for each in figures]
                table.add_row(question.name + note, *cells)
                name = f"{question.name}: p95 of a page at {count:,}"
                bars.append(Bar(name, ratio, BAR, "of bare"))
    finally:
        await connection.close()
    _console.print(table)
    return bars


def _sides(
    stage: Stage,
    api_key: str,
    tenant_id: UUID,
    question: Question,
    connection: asyncpg.Connection,
    reader: Reader,
) -> list[Callable[[], Awaitable[Result]]]:
    url = f"{stage.base_url}/v1/customers?limit=50{question.query}"
    bare_page = always(_as_page(stage, tenant_id, question))
    page = always(requests.get(url, api_key))
    return [
        partial(_ask, connection, tenant_id, question, seconds=_SECONDS),
        partial(reader.ask, question.query, seconds=_SECONDS),
        partial(fire, stage.bare_url, bare_page, concurrency=1, seconds=_SECONDS),
        partial(fire, stage.base_url, page, concurrency=1, seconds=_SECONDS),
    ]


def _ratio(rounds: list[list[Result]], *, ours: int, bare: int) -> float:
    return statistics.median(
        taken[ours].percentile(95) / taken[bare].percentile(95) for taken in rounds
    )


def _as_page(stage: Stage, tenant_id: UUID, question: Question) -> Shot:
    body = {"sql": question.sql, "arguments": [tenant_id, *question.arguments]}
    url = f"{stage.bare_url}/ask"
    return Shot.of("POST", url, headers={"content-type": "application/json"}, body=dumps(body))


async def _ask(
    connection: asyncpg.Connection, tenant_id: UUID, question: Question, *, seconds: float
) -> Result:
    latencies: list[float] = []
    started = time.perf_counter()
    while (sent := time.perf_counter()) < started + seconds or len(latencies) < 3:
        await connection.fetch(question.sql, tenant_id, *question.arguments)
        latencies.append(time.perf_counter() - sent)
    return Result(len(latencies), time.perf_counter() - started, latencies, 0)


async def _define(api: Api, key: str, more: dict[str, Any]) -> str:
    body = {"key": key, "label": {"vi": key}, **more}
    made: str = (await api.post("/v1/custom-fields", body))["id"]
    return made


if __name__ == "__main__":
    main()
