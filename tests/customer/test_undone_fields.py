"""Of merges that are undone in any order, only what somebody has changed is a question."""

from itertools import permutations
from typing import Any

import pytest

from tests.customer.merging import Merging, facts

ORDERS = list(permutations(range(3)))


@pytest.fixture
def people(client) -> Merging:
    return Merging(client)


def listed(undone: dict[str, Any]) -> dict[str, Any]:
    """The fields that nobody could decide."""
    return {each["field"]: each["value"] for each in undone["undecided"]["fields"]}


async def test_what_a_merge_had_passed_on_is_no_question_when_the_next_is_undone(people, client):
    first = await people.make(name="Bo", email="bo@example.com")
    second, third = await people.make(name="An"), await people.make(name="Ca")
    made = [await people.merge(second, first), await people.merge(third, second)]
    assert listed(await people.undo(made[0])) == {}
    kept = (await client.get(f"/v1/merges/{made[1]['id']}")).json()
    assert kept["taken"] == []
    undone = await people.undo(made[1])
    assert listed(undone) == {}
    for customer in (first, second, third):
        assert facts(await people.read(customer)) == facts(customer)


@pytest.mark.parametrize("order", ORDERS)
async def test_links_of_a_chain_in_any_order_ask_nothing(people, order):
    known = ({"email": "bo@example.com"}, {"city": "Huế"}, {"attributes": {"x": 1}}, {})
    four = [await people.make(name=f"Người {n}", **each) for n, each in enumerate(known)]
    made = [await people.merge(four[n + 1], four[n]) for n in range(3)]
    assert [listed(await people.undo(made[place])) for place in order] == [{}, {}, {}]
    for customer in four:
        assert facts(await people.read(customer)) == facts(customer)


@pytest.mark.parametrize("order", ORDERS)
async def test_merges_in_a_row_in_any_order_ask_nothing(people, order):
    stays = await people.make(name="An")
    known = ({"email": "bo@example.com"}, {"city": "Huế"}, {"email": "di@example.com"})
    others = [await people.make(name=f"Người {n}", **each) for n, each in enumerate(known)]
    made = [await people.merge(stays, other) for other in others[:2]]
    made.append(await people.merge(stays, others[2], fields={"email": others[2]["id"]}))
    assert [listed(await people.undo(made[place])) for place in order] == [{}, {}, {}]
    for customer in (stays, *others):
        assert facts(await people.read(customer)) == facts(customer)


async def test_one_taken_out_leaves_no_question_to_those_above(people):
    stays, above = await people.make(name="An"), await people.make(name="Ca")
    others = [await people.make(name=n, email=f"{n}@example.com") for n in ("bo", "di")]
    first = await people.merge(stays, *others)
    second = await people.merge(above, stays)
    assert listed(await people.take_out(first, others[0])) == {}
    assert (await people.read(above))["email"] == "di@example.com"
    assert listed(await people.undo(second)) == {}
    assert listed(await people.undo(first)) == {}
    for customer in (stays, above, *others):
        assert facts(await people.read(customer)) == facts(customer)


@pytest.mark.parametrize("city", ["Vinh", None])
async def test_what_somebody_has_changed_is_listed_though_another_was_undone(people, client, city):
    first = await people.make(name="Bo", city="Huế", email="bo@example.com")
    second, third = await people.make(name="An"), await people.make(name="Ca")
    made = [await people.merge(second, first), await people.merge(third, second)]
    await client.patch(f"/v1/customers/{third['id']}", json={"city": city})
    assert listed(await people.undo(made[0])) == {"city": city}
    assert listed(await people.undo(made[1])) == {"city": city}
    assert (await people.read(third))["city"] == city
