"""`python -m bench.customers`: what a long story costs, and what many hands at one purse do.

A page of the timeline of somebody with 100,000 entries against one of somebody with 100: the first
page, one from the middle, and one of a rare kind. Bar: at most 1.5 times. Then 200 redemptions at
once of one balance of points that is enough for half of them: exactly half, none negative, and no
answer but yes and no.
"""

import argparse
import asyncio
import statistics
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx
from rich.console import Console
from rich.table import Table

from bench.bars import Bar
from bench.stage import Stage, open_stage
from cli.demo.client import Api
from cli.demo.shop import Shop, open_shop
from shared.ids import new_id

LONG, SHORT = 100_000, 100
BAR: Final = 1.5
HANDS, POINTS = 200, 10
_TURNS = 40
_KINDS = (
    ("segment.entered", "segmentation"),
    ("message.sent", "messaging"),
    ("ticket.created", "support_ticket"),
    ("interaction.call", "customer"),
)
_console = Console(highlight=False)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads pages of the timeline of one customer."""

    http: httpx.AsyncClient
    path: str

    async def page(self, **query: Any) -> dict[str, Any]:
        """One page, as the API answers it."""
        answer = await self.http.get(self.path, params={"limit": 50, **query})
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    async def milliseconds(self, **query: Any) -> float:
        """How long a page takes."""
        began = time.perf_counter()
        await self.page(**query)
        return (time.perf_counter() - began) * 1000


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=_TURNS, help="pages of each sort")
    turns = parser.parse_args().turns
    measure(turns)


def measure(turns: int = _TURNS) -> list[Bar]:
    """The chapter of `python -m bench`."""
    with open_stage() as stage:
        return asyncio.run(_measure(stage, turns))


async def _measure(stage: Stage, turns: int) -> list[Bar]:
    with stage.house():
        async with httpx.AsyncClient(base_url=stage.base_url, timeout=60, trust_env=False) as http:
            with stage.worker():
                key = stage.operator_key
                shop = await open_shop(http, operator_key=key, name="C", slug="customers")
            http.headers["Authorization"] = f"Bearer {shop.api_key}"
            pages = await _pages(stage, http, shop, turns)
            return [*pages, await _redemptions(http)]


async def _pages(stage: Stage, http: httpx.AsyncClient, shop: Shop, turns: int) -> list[Bar]:
    long, short = [await _somebody(stage, http, shop, entries) for entries in (LONG, SHORT)]
    bars: list[Bar] = []
    table = Table("page of 50", f"{LONG:,} entries", f"{SHORT} entries", "ratio", "bar")
    for name, sorts in (
        ("the first", ({}, {})),
        ("in the middle", [{"cursor": await _middle(stage, reader)} for reader in (long, short)]),
        ("of one kind", ({"kind": "ticket"}, {"kind": "ticket"})),
    ):
        found: tuple[list[float], list[float]] = ([], [])
        for _ in range(turns):
            for times, reader, query in zip(found, (long, short), sorts, strict=True):
                times.append(await reader.milliseconds(**query))
        medians = [statistics.median(times) for times in found]
        ratio = medians[0] / medians[1]
        told = "met" if ratio <= BAR else "missed"
        cells = [f"{median:.1f} ms" for median in medians]
        table.add_row(name, *cells, f"{ratio:.2f}", f"{BAR} {told}")
        bars.append(Bar(f"timeline of {LONG:,}, {name}", ratio, BAR, f"of {SHORT}"))
    _console.print(table)
    return bars


async def _somebody(stage: Stage, http: httpx.AsyncClient, shop: Shop, entries: int) -> Reader:
    """A customer with as many entries, of all services, an hour apart."""
    customer = (await http.post("/v1/customers", json={"name": f"{entries}"})).json()
    now = datetime.now(UTC)
    rows = [
        (UUID(shop.tenant_id), new_id(), UUID(customer["id"]), *_KINDS[n % len(_KINDS)],
         now - timedelta(hours=n), "{}")
        for n in range(entries)
    ]  # fmt: skip
    connection = await asyncpg.connect(stage.dsn)
    try:
        await connection.copy_records_to_table(
            "timeline_entry",
            schema_name="customer",
            columns=("tenant_id", "id", "customer_id", "type", "source", "occurred_at", "data"),
            records=rows,
        )
        await connection.execute("ANALYZE customer.timeline_entry")
    finally:
        await connection.close()
    return Reader(http, f"/v1/customers/{customer['id']}/timeline")


async def _middle(stage: Stage, reader: Reader) -> str:
    """A cursor that has as much before as after it."""
    customer_id = UUID(reader.path.split("/")[3])
    connection = await asyncpg.connect(stage.dsn)
    try:
        middle = await connection.fetchval(
            "SELECT occurred_at FROM customer.timeline_entry WHERE customer_id = $1 "
            "ORDER BY occurred_at DESC OFFSET (SELECT count(*) / 2 - 10 "
            "FROM customer.timeline_entry WHERE customer_id = $1) LIMIT 1",
            customer_id,
        )
    finally:
        await connection.close()
    page = await reader.page(**{"limit": 1, "occurred_at[lt]": middle.isoformat()})
    cursor: str = page["next_cursor"]
    return cursor


async def _redemptions(http: httpx.AsyncClient) -> Bar:
    api = Api(http)
    programme = {
        "name": "Points", "point_value": {"amount": "100", "currency": "VND"},
        "hold_days": 0, "expires_after_months": None,
    }  # fmt: skip
    (await http.put("/v1/loyalty/programme", json=programme)).raise_for_status()
    customer_id = (await api.post("/v1/customers", {"name": "Lan"}))["id"]
    enough_for = HANDS // 2
    given = {"customer_id": customer_id, "points": enough_for * POINTS, "note": "All there is"}
    await api.post("/v1/loyalty/adjustments", given)
    answers: list[httpx.Response] = []
    again = 0

    async def redeem() -> None:
        nonlocal again
        while True:
            wanted = {"customer_id": customer_id, "points": POINTS}
            answer = await http.post("/v1/loyalty/redemptions", json=wanted)
            # More than a machine takes at a time are told to come again.
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                answers.append(answer)
                return
            again += 1

    began = time.perf_counter()
    await asyncio.gather(*(redeem() for _ in range(HANDS)))
    took = time.perf_counter() - began
    counted = Counter(answer.status_code for answer in answers)
    lowest = min(a.json()["available"] for a in answers if a.status_code == httpx.codes.CREATED)
    left = (await api.get(f"/v1/loyalty/accounts/{customer_id}"))["available"]
    is_exact = counted == {201: enough_for, 409: HANDS - enough_for} and left == 0
    told = "exact" if is_exact and lowest >= 0 else "WRONG"
    _console.print(
        f"\n{HANDS} redemptions at once: {dict(counted)}, {left} points left, never below "
        f"{lowest}: {told}; {took:.2f} s, told to come again {again} times"
    )
    wrong = abs(counted[201] - enough_for) + abs(counted[409] - (HANDS - enough_for)) + abs(left)
    return Bar(f"{HANDS} redemptions at once, wrong", wrong + (lowest < 0), 0)


if __name__ == "__main__":
    main()
