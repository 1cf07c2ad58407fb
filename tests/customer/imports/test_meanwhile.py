"""An import that runs while people are merged and parted."""

import asyncio

import pytest

from tests.customer.imports.shop import Importing, table
from tests.customer.merging import Merging

_HEAD = ("Tên", "Mã hội viên", "Thành phố")


async def _members(importing: Importing) -> dict[str, str]:
    """The record of each member, by the number on their card."""
    found = {}
    for customer in await importing.customers():
        path = f"/v1/customers/{customer['id']}/identities"
        for identity in (await importing.client.get(path)).json()["data"]:
            found[identity["value"]] = identity["customer_id"]
    return found


@pytest.mark.capability(120)
async def test_a_merge_during_an_import_loses_nothing(importing: Importing) -> None:
    known = [(f"Khách {n}", f"M{n}", "") for n in range(12)]
    await importing.take_in(table(_HEAD, *known), source="pos")
    before = await _members(importing)
    rows = [(f"Khách {n}", f"M{n}", "Huế") for n in range(16)]
    again = await importing.read(table(_HEAD, *rows), source="pos")
    await importing.begin(again)
    people = Merging(importing.client)
    merges = []

    async def merging() -> None:
        for pair in range(6):
            both = [{"id": before[f"M{2 * pair + place}"]} for place in (0, 1)]
            merges.append(await people.merge(*both))
        await people.undo(merges.pop())

    await asyncio.gather(importing.work(), merging())
    done = await importing.get(again)
    assert (done["status"], done["run"]["created"], done["run"]["invalid"]) == ("finished", 4, 0)
    # Of two who are one by then, the second row says nothing new of whom the first has met.
    assert sum(done["run"][word] for word in ("updated", "unchanged", "merged")) == 12
    after = await _members(importing)
    assert after.keys() == {f"M{n}" for n in range(16)}
    assert {card: after[card] for card in before} == before
    customers = await importing.customers()
    assert len(customers) == 11
    # Who parted has what was told of them; told while they were one, it is said of who stayed.
    told_as_one = {merged["merged_ids"][0] for merged in merges}
    assert sum(c["city"] == "Huế" for c in customers if c["id"] not in told_as_one) >= 10

    for merged in merges:
        await people.undo(merged)
    assert await _members(importing) == after
    assert len(await importing.customers()) == 16
