"""A real shop's customers: what CDNOW's purchases of 1997 and 1998 are known to come to.

The files are in the package `lifetimes`, a dependency for development; it is read, never imported.
The ordinary run takes a tenth of the customers, `make test-cdnow` all of them.
"""

import importlib.util
import os
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import httpx

from shared.contracts.gateway import PlatformIdentity, PlatformOrderReceived
from tests.customer.told import platform_order

BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Purchases:
    """One of the files, and what it is known to come to. `twice` are rows like another."""

    file: str
    customers: int
    orders: int
    twice: int
    free: int
    spent: Decimal

    def read(self) -> "list[Purchase]":
        spec = importlib.util.find_spec("lifetimes")
        assert spec is not None
        assert spec.origin is not None
        path = Path(spec.origin).parent / "datasets" / self.file
        rows = (row.split() for row in path.read_text().splitlines())
        return [Purchase.read(row[-4:]) for row in rows if row[-1] != "dollar_value"]


SAMPLE = Purchases("CDNOW_sample.txt", 2_357, 6_919, 21, 8, Decimal("244091.94"))
MASTER = Purchases("CDNOW_master.txt", 23_570, 69_659, 255, 80, Decimal("2500315.63"))


@dataclass(frozen=True, slots=True)
class Purchase:
    """A row of the file."""

    customer: str
    placed_at: datetime
    pieces: int
    cents: int

    @classmethod
    def read(cls, row: Sequence[str]) -> Self:
        customer, day, pieces, dollars = row
        placed_at = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
        return cls(customer, placed_at, int(pieces), int(Decimal(dollars) * 100))

    def told(self, number: int) -> tuple[UUID, PlatformOrderReceived]:
        """As a platform would tell it; what nobody paid for is an order, too."""
        return platform_order(
            f"{self.customer}-{number}",
            buyer=PlatformIdentity(external_id=self.customer, name=f"Customer {self.customer}"),
            currency="USD",
            total_minor=self.cents,
            placed_at=self.placed_at,
            changed_at=self.placed_at + timedelta(minutes=1),
            lines=(),
        )


async def everybody(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    page = (await client.get("/v1/customers", params={"limit": 200})).json()
    known = page["data"]
    while page["next_cursor"]:
        further = {"limit": 200, "cursor": page["next_cursor"]}
        page = (await client.get("/v1/customers", params=further)).json()
        known += page["data"]
    return list(known)


async def test_cdnow_comes_to_what_is_known_of_it(service, shop):
    known_of_it = MASTER if os.environ.get("CARELOOP_CDNOW") == "master" else SAMPLE
    bought = known_of_it.read()
    assert len(bought) - len(set(bought)) == known_of_it.twice
    assert sum(purchase.cents == 0 for purchase in bought) == known_of_it.free
    told = [purchase.told(number) for number, purchase in enumerate(bought)]
    dice = random.Random(1997)
    dice.shuffle(told)
    # Some come twice, as deliveries do.
    told += dice.sample(told, 300)
    for first in range(0, len(told), BATCH):
        await service.receive(shop, "gateway", told[first : first + BATCH])

    # A token of the gateway's is good for a minute, which taking all of this in may outlast.
    async with service.client(shop, "customers:read", "orders:read") as client:
        known = await everybody(client)
        best = max(known, key=lambda each: each["orders_count"])
        answer = await client.get(f"/v1/customers/{best['id']}/order-figures")
    (figures,) = answer.json()["data"]

    expected = Counter(purchase.customer for purchase in bought)
    assert len(known) == len(expected) == known_of_it.customers
    assert sum(each["orders_count"] for each in known) == known_of_it.orders
    assert {each["name"]: each["orders_count"] for each in known} == {
        f"Customer {customer}": orders for customer, orders in expected.items()
    }
    assert {each["total_spent"]["currency"] for each in known} == {"USD"}
    assert sum(Decimal(each["total_spent"]["amount"]) for each in known) == known_of_it.spent
    assert min(each["first_order_at"] for each in known) == "1997-01-01T00:00:00Z"
    assert max(each["last_order_at"] for each in known) == "1998-06-30T00:00:00Z"
    assert figures["total_spent"] == best["total_spent"]
    assert figures["orders_count"] == figures["paid_orders_count"] == max(expected.values())
