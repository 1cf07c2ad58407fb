"""Whatever happens to people in whatever order: every part comes to know the same of them."""

from collections import Counter
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.customer.merging import Json, Merging
from tests.privacy.conftest import HouseShop
from tests.privacy.test_rights import SCOPES

_PARTS = ("segmentation", "support_ticket", "messaging")
_who = st.integers(0, 3)
_STEPS = st.one_of(
    st.tuples(st.just("order"), _who),
    st.tuples(st.just("merge"), _who, _who),
    st.tuples(st.just("undo"), st.integers(0, 3)),
    st.tuples(st.just("rename"), _who),
    st.tuples(st.just("erase"), _who),
    # What was told so far is carried, but not to this part, which is away.
    st.tuples(st.just("carry"), st.sampled_from(_PARTS)),
)


class _Four:
    """Four records of one shop, and what clients do with them."""

    def __init__(self, shop: HouseShop, people: Merging) -> None:
        self.shop = shop
        self._people = people
        self._made: list[Json] = []
        self._merges: list[Json] = []

    async def begin(self) -> None:
        for number in range(4):
            said = {"name": f"Người {number}", "email": f"an{number}@example.com"}
            self._made.append(await self._people.make(**said))

    async def take(self, step: tuple[Any, ...]) -> None:
        """Do it; what is refused (they are one already, or gone) changes nothing."""
        name, said = step[0], step[1]
        client = self._people.client
        if name == "carry":
            await self.shop.settle(away=[said])
        elif name == "order":
            await self._people.buy(self._made[said], 100)
        elif name == "merge":
            merged = await self._people.try_to_merge(self._made[said], self._made[step[2]])
            if merged.status_code == 201:
                self._merges.append(merged.json())
        elif name == "undo" and self._merges:
            merge = self._merges[said % len(self._merges)]
            await client.post(f"/v1/merges/{merge['id']}/undo")
        elif name == "rename":
            await client.patch(f"/v1/customers/{self._made[said]['id']}", json={"name": "Ai đó"})
        elif name == "erase":
            await self._erase(self._made[said]["id"])

    async def _erase(self, customer_id: str) -> None:
        body = {"kind": "erasure", "customer_id": customer_id}
        made = (await self._people.client.post("/v1/privacy-requests", json=body)).json()
        where = f"/v1/privacy-requests/{made['id']}"
        await self._people.client.post(f"{where}/identity-check", json={"method": "in_person"})
        await self._people.client.post(f"{where}/execution")


async def _check(shop: HouseShop) -> None:
    """Each part knows of each record who stands for it, and of who stands what they are called."""
    truth = {row.id: row for row in await shop.rows("customer", "customer")}
    for part, table, key, name in (
        ("segmentation", "profile", "customer_id", "full_name"),
        ("support_ticket", "customer", "id", "name"),
        ("messaging", "recipient", "customer_id", "name"),
    ):
        rows = {getattr(row, key): row for row in await shop.rows(part, table)}
        assert rows.keys() == truth.keys()
        for customer_id, row in rows.items():
            own = truth[customer_id]
            assert row.merged_into == own.merged_into, part
            if own.merged_into is None:
                assert (getattr(row, name), row.email) == (own.name, own.email), part
            if own.erased_at is not None:
                assert (getattr(row, name), row.email) == (None, None), part
    orders = await shop.rows("customer", "customer_order")
    facts = await shop.rows("segmentation", "order_fact")
    assert {(f.order_id, f.customer_id) for f in facts} == {(o.id, o.customer_id) for o in orders}
    counted = Counter[UUID](truth[o.customer_id].merged_into or o.customer_id for o in orders)
    profiles = {p.customer_id: p for p in await shop.rows("segmentation", "profile")}
    for customer_id, own in truth.items():
        if own.merged_into is None:
            assert own.orders_count == counted[customer_id]
            assert own.total_spent_minor == 100 * counted[customer_id]
            assert profiles[customer_id].orders_count == counted[customer_id]


@settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(
    steps=[
        *(("merge", 0, 1), ("carry", "messaging"), ("order", 1), ("merge", 2, 0)),
        *(("carry", "segmentation"), ("undo", 0), ("rename", 1), ("order", 0)),
        *(("carry", "support_ticket"), ("erase", 2), ("carry", "messaging"), ("undo", 1)),
    ]
)
@given(steps=st.lists(_STEPS, min_size=6, max_size=14))
async def test_every_part_comes_to_know_the_same_of_people(open_shop, steps) -> None:
    shop = await open_shop()
    async with shop.client("customer", *SCOPES) as client:
        four = _Four(shop, Merging(client))
        await four.begin()
        for step in steps:
            await four.take(step)
    await shop.settle()
    await _check(shop)
