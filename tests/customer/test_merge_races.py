"""Merges while others merge, order and tell of the same people: real requests at the same time."""

import asyncio
from collections import Counter

import httpx
import pytest

from shared.contracts.gateway import PlatformIdentity
from tests.customer.merging import Merging, facts
from tests.customer.told import later, platform_order


@pytest.fixture
def people(client: httpx.AsyncClient) -> Merging:
    return Merging(client)


@pytest.mark.capability(120)
async def test_of_two_who_merge_each_other_at_once_one_wins(people):
    for _ in range(5):
        first, second = await people.make(name="An"), await people.make(name="Bo")
        answers = await asyncio.gather(
            people.try_to_merge(first, second), people.try_to_merge(second, first)
        )
        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 1}
        [refused] = [answer for answer in answers if answer.status_code == 409]
        assert refused.json()["code"] == "same_customer"
        one = await people.read(first)
        assert await people.read(second) == one


@pytest.mark.capability(120)
async def test_a_ring_of_merges_at_once_closes_nowhere(people):
    ring = [await people.make(name=f"Người {number}") for number in range(6)]
    for number, customer in enumerate(ring):
        await people.buy(customer, 10**number)
    answers = await asyncio.gather(
        *(
            people.try_to_merge(stays, other)
            for stays, other in zip(ring, [*ring[1:], ring[0]], strict=True)
        )
    )
    assert Counter(answer.status_code for answer in answers) == {201: 5, 409: 1}
    [one] = {customer["id"]: customer for customer in [await people.read(c) for c in ring]}.values()
    assert (one["orders_count"], one["total_spent"]["amount"]) == (6, "111111")
    for answer in answers:
        if answer.status_code == 201:
            await people.undo(answer.json())
    for number, customer in enumerate(ring):
        own = await people.read(customer)
        assert (own["id"], own["total_spent"]["amount"]) == (customer["id"], str(10**number))


async def test_orders_that_come_while_people_are_merged_and_parted_are_all_counted(people):
    first, second, third = [await people.make(name=name) for name in ("An", "Bo", "Ca")]

    async def shopping() -> None:
        for number in range(8):
            await asyncio.gather(
                *(people.buy(customer, 10**number) for customer in (first, second, third))
            )

    async def deciding() -> None:
        merged = [await people.merge(first, second), await people.merge(third, first)]
        await people.undo(merged[0])
        again = await people.merge(second, third)
        await people.undo(merged[1])
        await people.undo(again)
        await people.merge(second, first, third)

    await asyncio.gather(shopping(), deciding())
    one = await people.read(first)
    assert (one["orders_count"], one["total_spent"]["amount"]) == (24, "33333333")


async def test_a_merge_while_a_platform_tells_of_its_customers_loses_nothing(people, service, shop):
    stays = await people.make(name="An")
    buyers = [PlatformIdentity(external_id=f"b{n}", name=f"Buyer {n}") for n in range(5)]
    for number, buyer in enumerate(buyers):
        await service.receive(shop, "gateway", [platform_order(f"0-{number}", buyer=buyer)])
    found = (await people.client.get("/v1/customers", params={"q": "buyer"})).json()["data"]
    assert len(found) == len(buyers)

    async def telling() -> None:
        for day in range(1, 6):
            at = later(days=day)
            orders = [
                platform_order(f"{day}-{number}", buyer=buyer, placed_at=at, changed_at=at)
                for number, buyer in enumerate(buyers)
            ]
            await service.receive(shop, "gateway", orders)

    async def merging() -> list[dict]:
        return [await people.merge(stays, other) for other in found]

    _, merged = await asyncio.gather(telling(), merging())
    one = await people.read(stays)
    assert one["orders_count"] == 30
    for each in merged:
        await people.undo(each)
    assert facts(await people.read(stays)) == facts(stays)
    assert [(await people.read(other))["orders_count"] for other in found] == [6] * 5


async def test_who_is_known_by_an_id_is_found_while_they_are_merged(people):
    ids = [{"source": "pos", "external_id": f"till-{number}"} for number in range(2)]
    first, second = [await people.make(name="An", external_ids=[own]) for own in ids]

    async def telling(number: int) -> set[str]:
        path = f"/v1/customers/by-external-id/pos/till-{number}"
        answers = [await people.client.put(path, json={"country": "VN"}) for _ in range(6)]
        assert {answer.status_code for answer in answers} == {200}
        return {answer.json()["id"] for answer in answers}

    async def deciding() -> None:
        for _ in range(3):
            await people.undo(await people.merge(first, second))

    told = await asyncio.gather(telling(0), telling(1), deciding())
    assert told[0] == {first["id"]}
    assert told[1] <= {first["id"], second["id"]}
    for customer, own in zip((first, second), ids, strict=True):
        path = f"/v1/customers/{customer['id']}/identities"
        held = (await people.client.get(path)).json()["data"]
        assert [identity["value"] for identity in held] == [own["external_id"]]
