"""`python -m bench.lists`: pages, filters, orders and search over the API, against bare SQL.

The bare side is one statement on the same tables and data as the database's superuser, with no
wall between tenants, fetched with asyncpg in this process. The house's side is a whole request:
connection, key, scopes, personal data recorded, JSON. `--million` takes 1,000,000 customers.
"""

import argparse
import asyncio
import statistics
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

import asyncpg
import httpx
from rich.console import Console
from rich.table import Table

from bench import requests
from bench.crowd import load_crowd
from bench.load import Result, always, fire
from bench.stage import Stage, open_stage
from cli.demo.client import Api
from cli.demo.shop import open_shop

_console = Console(highlight=False)
_ROUNDS, _SECONDS = 5, 1.0
_ALL = "SELECT c.* FROM customer.customer c"
_OF = "WHERE c.tenant_id = $1"
_NEWEST = "ORDER BY c.created_at DESC, c.id DESC LIMIT 50"
_JOIN = (
    "JOIN customer.custom_value v ON v.tenant_id = c.tenant_id AND v.customer_id = c.id "
    "AND v.field_id = $2"
)


@dataclass(frozen=True, slots=True)
class Question:
    """The same question to both sides."""

    name: str
    query: str
    sql: str
    arguments: tuple[Any, ...] = ()


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--million", action="store_true", help="1,000,000 customers")
    asked = parser.parse_args()
    count = 1_000_000 if asked.million else asked.customers
    with open_stage() as stage, stage.house():
        asyncio.run(_measure(stage, count))


async def _measure(stage: Stage, count: int) -> None:
    async with httpx.AsyncClient(base_url=stage.base_url, timeout=60, trust_env=False) as http:
        with stage.worker():
            shop = await open_shop(http, operator_key=stage.operator_key, name="L", slug="large")
        api = Api(http, shop.api_key)
        fields = {key: UUID(await _define(api, key, more)) for key, more in _FIELDS.items()}
    tenant_id = UUID(shop.tenant_id)
    began = time.perf_counter()
    await load_crowd(stage.dsn, tenant_id, count, fields)
    _console.print(f"{count:,} customers in {time.perf_counter() - began:.0f} s")
    connection = await asyncpg.connect(stage.dsn)
    table = Table("page of 50", "SQL p50", "SQL p95", "ours p50", "ours p95", "ratio p95", box=None)
    try:
        for question in _questions(count, fields):
            url = f"{stage.base_url}/v1/customers?limit=50{question.query}"
            await _ask(connection, tenant_id, question, seconds=0.3)
            await fire(url, always(requests.get(url, shop.api_key)), concurrency=1, seconds=0.5)
            bare, ours = [], []
            for _ in range(_ROUNDS):
                bare.append(await _ask(connection, tenant_id, question, seconds=_SECONDS))
                shots = always(requests.get(url, shop.api_key))
                ours.append(await fire(url, shots, concurrency=1, seconds=_SECONDS))
            table.add_row(*_row(question, bare, ours))
    finally:
        await connection.close()
    _console.print(table)


def _row(question: Question, bare: list[Result], ours: list[Result]) -> list[str]:
    failures = sum(result.failures for result in ours)
    note = f"  [red]{failures} failed[/red]" if failures else ""
    figures = [
        statistics.median(result.percentile(percent) for result in results)
        for results in (bare, ours)
        for percent in (50, 95)
    ]
    pairs = zip(ours, bare, strict=True)
    ratio = statistics.median(o.percentile(95) / b.percentile(95) for o, b in pairs)
    return [question.name + note, *(f"{each:.2f}" for each in figures), f"{ratio:.2f}"]


async def _ask(
    connection: asyncpg.Connection, tenant_id: UUID, question: Question, *, seconds: float
) -> Result:
    latencies: list[float] = []
    started = time.perf_counter()
    while (sent := time.perf_counter()) < started + seconds or len(latencies) < 3:
        await connection.fetch(question.sql, tenant_id, *question.arguments)
        latencies.append(time.perf_counter() - sent)
    return Result(len(latencies), time.perf_counter() - started, latencies, 0)


_FIELDS: dict[str, dict[str, Any]] = {
    "score": {"type": "number"},
    "level": {
        "type": "enum",
        "options": [{"value": each, "label": {"vi": each}} for each in ("gold", "tin")],
    },
    "card": {"type": "text"},
}


async def _define(api: Api, key: str, more: dict[str, Any]) -> str:
    body = {"key": key, "label": {"vi": key}, **more}
    made: str = (await api.post("/v1/custom-fields", body))["id"]
    return made


def _questions(count: int, fields: dict[str, UUID]) -> list[Question]:
    card = f"card-{count // 2:07d}"
    score, level = fields["score"], fields["level"]
    by_name = f"{_ALL} {_OF} AND c.search_key LIKE ALL ($2)"
    bui = ["%bui%", "%thi%", "%huong%"]
    return [
        Question("list", "", f"{_ALL} {_OF} {_NEWEST}"),
        Question(
            "list, stage and tag",
            "&stage=customer&tag=VIP",
            f"{_ALL} JOIN customer.customer_tag t ON t.tenant_id = c.tenant_id "
            f"AND t.customer_id = c.id AND t.tag = 'VIP' {_OF} AND c.stage = 'customer' {_NEWEST}",
        ),
        Question(
            "own field, 1 in 100",
            "&attributes[level]=gold",
            f"{_ALL} {_JOIN} AND v.text_value = $3 {_OF} {_NEWEST}",
            (level, "gold"),
        ),
        Question(
            "own field, one",
            f"&attributes[card]={card}",
            f"{_ALL} {_JOIN} AND v.text_value = $3 {_OF} {_NEWEST}",
            (fields["card"], card),
        ),
        Question(
            "own field, range, few",
            "&attributes[score][gte]=999000",
            f"{_ALL} {_JOIN} AND v.number_value >= $3 {_OF} {_NEWEST}",
            (score, 999_000_000_000),
        ),
        Question(
            "own field, range, many",
            "&attributes[score][gte]=300000",
            f"{_ALL} {_JOIN} AND v.number_value >= $3 {_OF} {_NEWEST}",
            (score, 300_000_000_000),
        ),
        Question(
            "two own fields",
            "&attributes[level]=gold&attributes[score][gte]=500000",
            f"{_ALL} {_JOIN} AND v.text_value = $3 JOIN customer.custom_value w "
            "ON w.tenant_id = c.tenant_id AND w.customer_id = c.id AND w.field_id = $4 "
            f"AND w.number_value >= $5 {_OF} {_NEWEST}",
            (level, "gold", score, 500_000_000_000),
        ),
        Question(
            "sort by own field",
            "&sort=-attributes.score",
            f"{_ALL} {_JOIN} AND v.number_value IS NOT NULL {_OF} "
            "ORDER BY v.number_value DESC, v.created_at DESC, c.id DESC LIMIT 50",
            (score,),
        ),
        Question(
            "sort by money spent",
            "&sort=-total_spent",
            f"{_ALL} {_OF} AND c.total_spent_minor > 0 "
            "ORDER BY c.total_spent_minor DESC, c.id DESC LIMIT 50",
        ),
        Question(
            "sort by last order",
            "&sort=days_since_last_order",
            f"{_ALL} {_OF} AND c.last_order_at IS NOT NULL "
            "ORDER BY c.last_order_at DESC, c.id DESC LIMIT 50",
        ),
        Question(
            "sort by name",
            "&sort=name",
            f"{_ALL} {_OF} AND c.name_key IS NOT NULL ORDER BY c.name_key, c.id LIMIT 50",
        ),
        Question(
            "spent in a range",
            "&total_spent[gte]=20000000",
            f"{_ALL} {_OF} AND c.total_spent_minor >= 20000000 AND c.total_spent_minor > 0 "
            f"{_NEWEST}",
        ),
        Question(
            "search a full name", f"&q={quote('bui thi huong')}", f"{by_name} {_NEWEST}", (bui,)
        ),
        Question(
            "search with accents", f"&q={quote('Bùi Thị Hương')}", f"{by_name} {_NEWEST}", (bui,)
        ),
        Question(
            "search two words",
            f"&q={quote('huong bui')}",
            f"{by_name} {_NEWEST}",
            (["%huong%", "%bui%"],),
        ),
        Question("search 4 digits", "&q=4321", f"{by_name} {_NEWEST}", (["%4321 %"],)),
        Question("search an address", "&q=khach4321@", f"{by_name} {_NEWEST}", (["%khach4321@%"],)),
        Question(
            "search an order",
            f"&q=%23{count // 8 * 4:07d}",
            f"{_ALL} JOIN customer.customer_order o ON o.tenant_id = c.tenant_id "
            f"AND o.customer_id = c.id AND o.number = $2 {_OF} {_NEWEST}",
            (f"#{count // 8 * 4:07d}",),
        ),
    ]


if __name__ == "__main__":
    main()
