"""One person with several records: in segments once, with the facts of all of them."""

import asyncio
from collections.abc import Sequence
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from shared.contracts.customer import SnapshotCompleted
from shared.ids import new_id
from tests.segmentation.shop import (
    START,
    Shop,
    Told,
    customer,
    merged,
    message,
    order,
    survey,
    ticket,
    unmerged,
)

EVERYBODY = {"field": "profile.stage", "op": "exists"}


def orders(op: str, value: object, *, measure: str = "count", **more: object) -> dict[str, Any]:
    return {"orders": {"measure": measure, "op": op, "value": value, **more}}


TWO_ORDERS = orders("gte", 2)
HAS_SPENT = {
    "field": "profile.total_spent",
    "op": "gte",
    "value": {"amount": "900000", "currency": "VND"},
}


def orders_of(sku: str) -> dict[str, Any]:
    line = {"title": sku, "sku": sku, "quantity": 1, "total_minor": 100}
    return {"lines": (line,)}


async def reasons(shop: Shop, key: str, customer_id: UUID) -> list[tuple[str, str]]:
    """What happened to one person in a segment, oldest first."""
    segment = await shop.segment(key)
    path = f"/v1/segments/{segment['id']}/history"
    changes = (await shop.get(path, customer_id=str(customer_id)))["data"]
    return [(change["change"], change["reason"]) for change in reversed(changes)]


@pytest.fixture
async def couple(shop: Shop) -> tuple[UUID, UUID]:
    """Two records with an order each."""
    till, web = new_id(), new_id()
    await shop.hear(customer(till), customer(web), order(till), order(web))
    return till, web


async def test_a_merged_record_leaves_its_segments_and_its_orders_count_for_the_other(
    shop: Shop, couple: tuple[UUID, UUID]
) -> None:
    till, web = couple
    for key, rule in (("all", EVERYBODY), ("two", TWO_ORDERS), ("spent", HAS_SPENT)):
        await shop.add_segment(key, rule)
    assert await shop.members("all") == {till, web}
    assert await shop.members("two") == await shop.members("spent") == set()

    await shop.hear(merged(till, web))
    assert await shop.members("all") == await shop.members("two") == {web}
    assert await shop.members("spent") == {web}
    assert await reasons(shop, "two", web) == [("entered", "customer_merged")]
    assert await reasons(shop, "all", till) == [
        ("entered", "segment_created"),
        ("entered", "segment_created"),
        ("left", "customer_merged"),
    ]


async def test_what_was_told_since_goes_back_when_the_merge_is_undone(
    shop: Shop, couple: tuple[UUID, UUID]
) -> None:
    till, web = couple
    await shop.add_segment("two", TWO_ORDERS)
    await shop.hear(merged(till, web))
    await shop.hear(order(till), order(till))
    await shop.hear(unmerged(till))
    assert await shop.members("two") == {till}
    told = [move for move in await shop.moves() if move[1] == "two"]
    assert told == [("entered", "two", web), ("left", "two", web), ("entered", "two", till)]
    assert (await reasons(shop, "two", till))[-1] == ("entered", "customer_unmerged")
    assert (await reasons(shop, "two", web))[-1] == ("left", "customer_unmerged")
    [figures] = await shop.rows(
        "SELECT min(orders_count), max(orders_count) FROM segmentation.profile "
        "WHERE tenant_id = :tenant"
    )
    assert figures == (1, 3)


async def test_orders_that_come_later_by_the_merged_record_count_for_the_other(
    shop: Shop, couple: tuple[UUID, UUID]
) -> None:
    till, web = couple
    await shop.add_segment("three", orders("gte", 3))
    await shop.hear(merged(till, web))
    assert await shop.members("three") == set()
    await shop.hear(order(till))
    assert await shop.members("three") == {web}
    assert await reasons(shop, "three", till) == [("entered", "orders_changed")]


async def test_tickets_scores_and_messages_count_for_the_one_who_stands_for_the_record(
    shop: Shop, couple: tuple[UUID, UUID]
) -> None:
    till, web = couple
    await shop.add_segment(
        "cared",
        {
            "all": [
                {"field": "profile.open_tickets_count", "op": "eq", "value": 2},
                {"field": "profile.last_csat", "op": "eq", "value": 2},
                {"field": "profile.messages_sent_count", "op": "eq", "value": 2},
            ]
        },
    )
    await shop.hear(ticket(till), ticket(web), source="support_ticket")
    await shop.hear(message(till), message(web), source="messaging")
    await shop.hear(merged(till, web))
    answered = ticket(till, version=1)
    await shop.hear(
        survey(till, 2, ticket_id=answered[0], status="closed"), source="support_ticket"
    )
    assert await shop.members("cared") == {web}


async def test_filters_within_orders_look_at_those_of_every_record(
    shop: Shop, couple: tuple[UUID, UUID]
) -> None:
    till, web = couple
    bought = {"field": "order.skus", "op": "any_of", "value": ["TEA"]}
    await shop.add_segment("tea", orders("gte", 1, where=bought))
    await shop.add_segment("no_tea", orders("eq", 0, where=bought))
    await shop.hear(order(till, **orders_of("TEA")))
    assert (await shop.members("tea"), await shop.members("no_tea")) == ({till}, {web})
    await shop.hear(merged(till, web))
    assert (await shop.members("tea"), await shop.members("no_tea")) == ({web}, set())


async def test_a_chain_ends_with_one_who_has_all_facts(shop: Shop) -> None:
    first, second, third = new_id(), new_id(), new_id()
    await shop.add_segment("all", EVERYBODY)
    await shop.add_segment("three", orders("gte", 3))
    for each in (first, second, third):
        await shop.hear(customer(each), order(each))
    await shop.hear(merged(first, second))
    # The root of the first changes with that of the second.
    await shop.hear(merged(second, third), merged(first, third, version=3))
    assert await shop.members("all") == await shop.members("three") == {third}
    assert ("entered", "customer_merged") in await reasons(shop, "three", first)

    await shop.hear(unmerged(second), unmerged(first, second, version=4))
    assert await shop.members("all") == {second, third}
    assert await shop.members("three") == set()
    await shop.hear(order(first))
    assert await shop.members("three") == {second}


async def test_of_several_merged_records_one_leaves_and_the_others_count_on(
    shop: Shop, couple: tuple[UUID, UUID]
) -> None:
    till, web = couple
    chat = new_id()
    await shop.hear(customer(chat), order(chat))
    for number in (1, 2, 3):
        await shop.add_segment(f"at_least_{number}", orders("gte", number))
    await shop.hear(merged(till, web), merged(chat, web))
    assert await shop.members("at_least_3") == {web}
    await shop.hear(unmerged(till))
    assert await shop.members("at_least_3") == set()
    assert await shop.members("at_least_2") == {web}
    assert await shop.members("at_least_1") == {web, till}


async def test_repeated_and_late_events_change_nothing(
    shop: Shop, couple: tuple[UUID, UUID]
) -> None:
    till, web = couple
    await shop.add_segment("all", EVERYBODY)
    await shop.hear(merged(till, web))
    await shop.hear(merged(till, web), customer(till, version=1))
    assert await shop.members("all") == {web}
    await shop.hear(unmerged(till))
    before = await shop.moves()
    await shop.hear(merged(till, web))
    await shop.hear(unmerged(till))
    assert await shop.members("all") == {till, web}
    assert await shop.moves() == before


ARRIVALS: Sequence[int] = range(4)


async def test_facts_that_arrive_during_the_merge_count_for_the_one_who_stands_for_the_record(
    shop: Shop,
) -> None:
    await shop.add_segment("asked", {"tickets": {"measure": "count", "op": "gte", "value": 1}})
    tills = [new_id() for _ in range(8)]
    webs = [new_id() for _ in tills]
    await shop.hear(*(customer(each) for each in (*tills, *webs)))
    for till, web in zip(tills, webs, strict=True):
        await asyncio.gather(
            shop.hear(merged(till, web)), shop.hear(ticket(till), source="support_ticket")
        )
    assert await shop.members("asked") == set(webs)


@pytest.mark.parametrize("arrival", list(permutations(ARRIVALS))[::5])
async def test_any_order_of_arrival_ends_in_the_same_segments(
    shop: Shop, arrival: tuple[int, ...]
) -> None:
    till, web = new_id(), new_id()
    await shop.add_segment("all", EVERYBODY)
    await shop.add_segment("two", TWO_ORDERS)
    told: list[Told] = [merged(till, web), customer(web), order(till), order(web)]
    for place in arrival:
        await shop.hear(told[place])
    assert await shop.members("all") == await shop.members("two") == {web}


async def test_what_time_does_to_a_merged_record_happens_to_the_one_who_stands_for_it(
    shop: Shop,
) -> None:
    till, web = new_id(), new_id()
    lately = orders("gte", 1, window={"last": "P30D"})
    await shop.add_segment("recent", lately)
    await shop.hear(customer(till), customer(web), order(till, placed_at=START))
    await shop.hear(merged(till, web))
    assert await shop.members("recent") == {web}
    await shop.pass_time(days=40)
    assert await shop.members("recent") == set()
    assert await reasons(shop, "recent", web) == [
        ("entered", "orders_changed"),
        ("left", "customer_merged"),
        ("entered", "customer_merged"),
        ("left", "time_passed"),
    ]


async def test_a_preview_counts_a_person_once(shop: Shop, couple: tuple[UUID, UUID]) -> None:
    till, web = couple
    await shop.hear(merged(till, web))
    preview = (await shop.call("POST", "/v1/segments/preview", {"rule": TWO_ORDERS})).json()
    assert (preview["count"], preview["total"]) == (1, 1)
    assert [each["customer_id"] for each in preview["sample"]] == [str(web)]


async def test_a_segments_recount_keeps_merged_records_out(
    shop: Shop, couple: tuple[UUID, UUID]
) -> None:
    till, web = couple
    segment = await shop.add_segment("two", TWO_ORDERS)
    await shop.hear(merged(till, web))
    before = await shop.moves()
    await shop.call("POST", f"/v1/segments/{segment['id']}/rebuild")
    await shop.finish_runs()
    assert await shop.members("two") == {web}
    assert await shop.moves() == before


async def test_a_rebuild_finds_out_again_who_stands_for_whom(
    shop: Shop, couple: tuple[UUID, UUID]
) -> None:
    till, web = couple
    await shop.add_segment("two", TWO_ORDERS)
    await shop.hear(ticket(till), source="support_ticket")
    await shop.hear(merged(till, web))
    before = await shop.moves()
    figures = "SELECT customer_id, merged_into, member_ids, orders_count, tickets_count FROM "
    figures += "segmentation.profile WHERE tenant_id = :tenant ORDER BY customer_id"
    known = await shop.rows(figures)

    job = (await shop.call("POST", "/v1/segmentation-rebuilds")).json()["job_id"]
    await shop.finish_runs()
    assert await shop.rows(figures) == []
    orders = await shop.rows("SELECT 1 FROM segmentation.order_fact WHERE tenant_id = :tenant")
    assert orders == []
    await shop.hear(merged(till, web), order(till), order(web), customer(web))
    completed = SnapshotCompleted(requested_by="segmentation", job_id=UUID(job))
    await shop.hear((UUID(job), completed))
    await shop.finish_runs()

    assert await shop.members("two") == {web}
    assert await shop.moves() == before
    again = await shop.rows(figures)
    assert [row[:3] for row in again] == [row[:3] for row in known]
    assert {row[0]: row[3:] for row in again}[web] == (2, 1)


async def test_any_record_names_the_person_whose_segments_are_explained(
    shop: Shop, couple: tuple[UUID, UUID]
) -> None:
    till, web = couple
    segment = await shop.add_segment("two", TWO_ORDERS)
    await shop.hear(merged(till, web))
    for asked in (till, web):
        told = await shop.get(f"/v1/segments/{segment['id']}/explain/{asked}")
        assert (told["customer_id"], told["matches"], told["is_member"]) == (str(web), True, True)
        assert (told["rule"]["actual"], len(told["rule"]["evidence"])) == (2, 2)
        listed = (await shop.get("/v1/segment-memberships", customer_id=str(asked)))["data"]
        found = {membership["segment_key"]: membership["customer_id"] for membership in listed}
        assert found["two"] == str(web)
    await shop.hear(unmerged(till))
    told = await shop.get(f"/v1/segments/{segment['id']}/explain/{till}")
    assert (told["customer_id"], told["matches"], told["rule"]["actual"]) == (str(till), False, 1)


async def test_a_profile_of_the_previous_release_stands_for_itself(shop: Shop) -> None:
    old, other = new_id(), new_id()
    await shop.run_sql(
        "INSERT INTO segmentation.profile (tenant_id, customer_id, version, stage, updated_at) "
        f"VALUES (:tenant, '{old}', 1, 'customer', now())"
    )
    await shop.add_segment("all", EVERYBODY)
    await shop.add_segment("two", TWO_ORDERS)
    await shop.hear(order(old), order(old), customer(other), order(other))
    assert await shop.members("all") == {old, other}
    assert await shop.members("two") == {old}
    await shop.hear(merged(old, other))
    assert await shop.members("all") == {other}
