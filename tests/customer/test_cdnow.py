"""A real shop's first customers: what CDNOW's sample of 1997 and 1998 is known to come to.

The file is in the package `lifetimes`, a dependency for development; it is read, never imported.
"""

import importlib.util
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.contracts.gateway import PlatformIdentity
from tests.customer.told import platform_order

CUSTOMERS, ORDERS, ONCE, MOST = 2_357, 6_919, 1_205, 56
SPENT = Decimal("244091.94")


def sample() -> Path | None:
    """The file, if it is there."""
    named = os.environ.get("CARELOOP_CDNOW")
    spec = importlib.util.find_spec("lifetimes") if named is None else None
    folder = Path(spec.origin).parent if spec is not None and spec.origin else None
    path = Path(named) if named else folder and folder / "datasets" / "CDNOW_sample.txt"
    return path if path is not None and path.is_file() else None


def orders(path: Path) -> Iterator[tuple[str, datetime, int, int]]:
    """Customer, day, pieces and cents of each row."""
    for row in path.read_text().splitlines():
        _master, customer, day, pieces, dollars = row.split()
        placed_at = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
        yield customer, placed_at, int(pieces), int(Decimal(dollars) * 100)


async def everybody(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    page = (await client.get("/v1/customers", params={"limit": 200})).json()
    known = page["data"]
    while page["next_cursor"]:
        further = {"limit": 200, "cursor": page["next_cursor"]}
        page = (await client.get("/v1/customers", params=further)).json()
        known += page["data"]
    return list(known)


@pytest.mark.skipif(sample() is None, reason="the package lifetimes is not installed")
async def test_cdnow_comes_to_what_is_known_of_it(service, shop):
    numbers = count(1)
    told = [
        platform_order(
            f"{customer}-{next(numbers)}",
            buyer=PlatformIdentity(external_id=customer, name=f"Customer {customer}"),
            currency="USD",
            total_minor=cents,
            placed_at=placed_at,
            changed_at=placed_at + timedelta(minutes=1),
            lines=(),
        )
        for customer, placed_at, _pieces, cents in orders(sample())
    ]
    dice = random.Random(1997)
    dice.shuffle(told)
    # Some come twice, as deliveries do.
    told += dice.sample(told, 300)
    for first in range(0, len(told), 500):
        await service.receive(shop, "gateway", told[first : first + 500])

    # A token of the gateway's is good for a minute, which taking all of this in may outlast.
    async with service.client(shop, "customers:read", "orders:read") as client:
        known = await everybody(client)
        best = max(known, key=lambda each: each["orders_count"])
        answer = await client.get(f"/v1/customers/{best['id']}/order-figures")
    bought = [each["orders_count"] for each in known]
    assert (len(known), sum(bought)) == (CUSTOMERS, ORDERS)
    assert (sum(each == 1 for each in bought), max(bought)) == (ONCE, MOST)
    assert {each["total_spent"]["currency"] for each in known} == {"USD"}
    assert sum(Decimal(each["total_spent"]["amount"]) for each in known) == SPENT
    assert min(each["first_order_at"] for each in known) == "1997-01-01T00:00:00Z"
    assert max(each["last_order_at"] for each in known) == "1998-06-30T00:00:00Z"
    (figures,) = answer.json()["data"]
    assert figures["total_spent"] == best["total_spent"]
    assert figures["orders_count"] == figures["paid_orders_count"] == MOST
