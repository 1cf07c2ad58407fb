"""Tiers, friends and vouchers of people whose records are merged, and part again."""

from typing import Any

import pytest

from tests.customer.loyalty.shop import Shop, vnd


@pytest.fixture
async def lan(shop: Shop) -> str:
    """A customer of a shop with two tiers."""
    await shop.programme(tier_window_months=3, tier_grace_days=30)
    await shop.order_rule(points=1, per=10_000)
    await shop.post("/v1/loyalty/tiers", name="Bạc", threshold=50)
    await shop.post("/v1/loyalty/tiers", name="Vàng", threshold=200)
    return await shop.customer()


@pytest.fixture
async def other(shop: Shop) -> str:
    return await shop.customer("Lan Nguyễn")


async def merge(shop: Shop, root: str, *others: str) -> str:
    made: str = (await shop.post(f"/v1/customers/{root}/merges", customer_ids=list(others)))["id"]
    return made


async def undo(shop: Shop, merge_id: str) -> None:
    answer = await shop.send("POST", f"/v1/merges/{merge_id}/undo")
    assert answer.status_code == 200, answer.text


async def tier_of(shop: Shop, customer_id: str) -> tuple[str, bool] | None:
    """The tier of somebody, and whether it is only left to them."""
    tier = (await shop.account(customer_id))["tier"]
    return (tier["name"], tier["grace_until"] is not None) if tier else None


async def changes(shop: Shop) -> list[tuple[str, str, Any]]:
    told = await shop.service.told(shop.tenant, "customer.tier_raised", "customer.tier_lowered")
    return [
        (
            each["change"]["customer_id"],
            each["type"].removeprefix("customer.tier_"),
            (each["change"]["tier"] or {}).get("name"),
        )
        for each in told
    ]


async def test_together_they_reach_a_tier_at_once_and_part_without_it(
    shop: Shop, lan: str, other: str
) -> None:
    await shop.order(lan, 300_000)
    await shop.order(other, 300_000)
    merge_id = await merge(shop, lan, other)
    assert await tier_of(shop, lan) == await tier_of(shop, other) == ("Bạc", False)
    await undo(shop, merge_id)
    assert await tier_of(shop, lan) is None
    assert await tier_of(shop, other) is None
    told = await changes(shop)
    assert told[0] == (lan, "raised", "Bạc")
    assert sorted(told[1:]) == sorted([(lan, "lowered", None), (other, "lowered", None)])


async def test_the_higher_tier_is_the_person_s_and_each_gets_their_own_back(
    shop: Shop, lan: str, other: str
) -> None:
    await shop.order(lan, 600_000)
    await shop.order(other, 2_000_000)
    merge_id = await merge(shop, lan, other)
    assert await tier_of(shop, lan) == ("Vàng", False)
    await undo(shop, merge_id)
    assert await tier_of(shop, lan) == ("Bạc", False)
    assert await tier_of(shop, other) == ("Vàng", False)


async def test_a_tier_that_is_only_left_to_somebody_stays_so(
    shop: Shop, lan: str, other: str
) -> None:
    await shop.order(other, 2_000_000)
    shop.clock.advance(days=100)
    await shop.sweep()
    assert await tier_of(shop, other) == ("Vàng", True)
    grace = (await shop.account(other))["tier"]["grace_until"]
    merge_id = await merge(shop, lan, other)
    assert await tier_of(shop, lan) == ("Vàng", True)
    assert (await shop.account(lan))["tier"]["grace_until"] == grace
    await undo(shop, merge_id)
    assert await tier_of(shop, lan) is None
    assert (await shop.account(other))["tier"]["grace_until"] == grace


async def test_a_grace_that_ran_out_while_they_were_one_is_over_when_they_part(
    shop: Shop, lan: str, other: str
) -> None:
    await shop.order(other, 2_000_000)
    shop.clock.advance(days=100)
    await shop.sweep()
    await shop.order(lan, 2_000_000)
    merge_id = await merge(shop, lan, other)
    assert await tier_of(shop, other) == ("Vàng", False)
    shop.clock.advance(days=40)
    await undo(shop, merge_id)
    assert await tier_of(shop, lan) == ("Vàng", False)
    assert await tier_of(shop, other) is None


async def test_a_tier_that_was_reached_by_their_own_orders_meanwhile_is_kept(
    shop: Shop, lan: str, other: str
) -> None:
    merge_id = await merge(shop, lan, other)
    await shop.order(other, 700_000)
    await undo(shop, merge_id)
    assert await tier_of(shop, lan) is None
    assert await tier_of(shop, other) == ("Bạc", False)


async def test_what_comes_by_a_later_merge_stays_when_an_earlier_one_is_undone(
    shop: Shop, lan: str, other: str
) -> None:
    third = await shop.customer("Ngọc Lan")
    await shop.order(other, 2_000_000)
    await shop.order(third, 600_000)
    shop.clock.advance(days=100)
    await shop.sweep()
    first = await merge(shop, lan, other)
    await merge(shop, third, lan)
    assert await tier_of(shop, third) == ("Vàng", True)
    await undo(shop, first)
    assert await tier_of(shop, other) == ("Vàng", True)
    assert await tier_of(shop, third) == ("Bạc", True), "what third had, and not what other brought"


async def test_a_tier_of_who_left_an_earlier_merge_is_not_brought_back_by_a_later_one(
    shop: Shop, lan: str, other: str
) -> None:
    third = await shop.customer("Bo")
    await shop.order(other, 600_000)
    earlier = await merge(shop, lan, other)
    later = await merge(shop, lan, third)
    await undo(shop, earlier)
    await undo(shop, later)
    assert await tier_of(shop, lan) is None
    assert await tier_of(shop, third) is None
    assert await tier_of(shop, other) == ("Bạc", False)


async def test_a_tier_that_somebody_brought_up_a_chain_is_given_back_as_it_was(
    shop: Shop, lan: str, other: str
) -> None:
    third = await shop.customer("Bo")
    await shop.order(other, 600_000)
    await shop.order(third, 2_100_000)
    shop.clock.advance(days=100)
    await shop.sweep()
    lowest = await merge(shop, lan, other)
    middle = await merge(shop, third, lan)
    highest = await merge(shop, await shop.customer("Ca"), third)
    await undo(shop, lowest)
    await undo(shop, highest)
    assert await tier_of(shop, third) == ("Vàng", True)
    await undo(shop, middle)
    assert await tier_of(shop, third) == ("Vàng", True)
    assert await tier_of(shop, lan) is None


async def test_a_dry_run_changes_no_tier(shop: Shop, lan: str, other: str) -> None:
    await shop.order(lan, 300_000)
    await shop.order(other, 300_000)
    path = f"/v1/customers/{lan}/merges?dry_run=true"
    answer = await shop.send("POST", path, json={"customer_ids": [other]})
    assert answer.status_code == 200, answer.text
    assert await tier_of(shop, lan) is None
    merge_id = await merge(shop, lan, other)
    undone = await shop.send("POST", f"/v1/merges/{merge_id}/undo?dry_run=true")
    assert undone.status_code == 200, undone.text
    assert await tier_of(shop, other) == ("Bạc", False)


async def test_friends_are_counted_of_the_person_and_of_each_again(
    shop: Shop, lan: str, other: str
) -> None:
    reward = {"referrer_points": 10, "friend_points": 5}
    assert (await shop.send("PUT", "/v1/referrals/programme", json=reward)).status_code == 200
    for referrer, friend in ((lan, "Mai"), (other, "Bình")):
        code = (await shop.post("/v1/referrals/codes", customer_id=referrer))["code"]
        friend_id = await shop.customer(friend)
        await shop.post("/v1/referrals", code=code, customer_id=friend_id)
    mine = (await shop.get("/v1/referrals", referrer_id=lan))["data"]
    assert len(mine) == 1
    merge_id = await merge(shop, lan, other)
    for named in (lan, other):
        assert len((await shop.get("/v1/referrals", referrer_id=named))["data"]) == 2
    late = await shop.customer("Nam")
    await shop.post("/v1/referrals", code=mine[0]["code"], customer_id=late)
    await undo(shop, merge_id)
    assert len((await shop.get("/v1/referrals", referrer_id=lan))["data"]) == 2
    assert len((await shop.get("/v1/referrals", referrer_id=other))["data"]) == 1


async def test_a_friend_who_was_brought_by_one_record_is_not_brought_again_by_another(
    shop: Shop, lan: str, other: str
) -> None:
    reward = {"referrer_points": 10, "friend_points": 5}
    assert (await shop.send("PUT", "/v1/referrals/programme", json=reward)).status_code == 200
    mai = await shop.customer("Mai")
    code = (await shop.post("/v1/referrals/codes", customer_id=mai))["code"]
    await shop.post("/v1/referrals", code=code, customer_id=lan)
    merge_id = await merge(shop, lan, other)
    body = {"code": code, "customer_id": other}
    assert await shop.refused("/v1/referrals", **body) == (409, "referral_refused")
    await undo(shop, merge_id)
    assert (await shop.post("/v1/referrals", **body))["status"] == "pending"


async def test_a_voucher_s_limit_is_the_person_s_and_each_one_s_again(
    shop: Shop, lan: str, other: str
) -> None:
    made = await shop.post(
        "/v1/vouchers",
        name="Tết",
        kind="amount",
        value=vnd(50_000),
        limit_per_customer=1,
        uses_per_code=None,
    )
    await shop.post(f"/v1/vouchers/{made['id']}/codes", code="TET2027")
    use = {"code": "TET2027", "order_total": vnd(300_000)}
    await shop.post("/v1/vouchers/redemptions", **use, customer_id=lan)
    merge_id = await merge(shop, lan, other)
    refused = await shop.send("POST", "/v1/vouchers/redemptions", json=use | {"customer_id": other})
    assert (refused.status_code, refused.json()["reason"]) == (409, "customer_limit_reached")
    await undo(shop, merge_id)
    await shop.post("/v1/vouchers/redemptions", **use, customer_id=other)


async def take_out(shop: Shop, merge_id: str, *customers: str) -> None:
    body = {"customer_ids": list(customers)}
    answer = await shop.send("POST", f"/v1/merges/{merge_id}/undo", json=body)
    assert answer.status_code == 200, answer.text


async def test_who_is_taken_out_takes_their_tier_and_points_and_the_others_keep_theirs(
    shop: Shop, lan: str, other: str
) -> None:
    third = await shop.customer("Ngọc Lan")
    await shop.order(other, 2_000_000)
    await shop.order(third, 600_000)
    shop.clock.advance(days=100)
    await shop.sweep()
    merge_id = await merge(shop, lan, other, third)
    assert await tier_of(shop, lan) == ("Vàng", True)
    together = (await shop.account(lan))["available"]
    await take_out(shop, merge_id, other)
    assert await tier_of(shop, other) == ("Vàng", True)
    assert await tier_of(shop, lan) == await tier_of(shop, third) == ("Bạc", True)
    apart = [(await shop.account(each))["available"] for each in (lan, other)]
    assert (sum(apart), apart[1]) == (together, 200)
    await undo(shop, merge_id)
    assert await tier_of(shop, lan) is None
    assert await tier_of(shop, third) == ("Bạc", True)


async def test_who_came_back_by_another_merge_brings_the_tier_of_that_day(
    shop: Shop, lan: str, other: str
) -> None:
    third = await shop.customer("Ngọc Lan")
    await shop.order(other, 2_000_000)
    first = await merge(shop, lan, other, third)
    await take_out(shop, first, other)
    assert await tier_of(shop, other) == ("Vàng", False)
    for days in (100, 40):
        shop.clock.advance(days=days)
        await shop.sweep()
    assert await tier_of(shop, other) is None
    await merge(shop, lan, other)
    await undo(shop, first)
    assert await tier_of(shop, lan) is None
