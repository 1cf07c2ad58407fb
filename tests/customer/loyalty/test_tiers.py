"""Tiers: reached at once, multiplied by, lost only after a time of grace."""

import pytest

from tests.customer.loyalty.shop import Shop, vnd


@pytest.fixture
async def lan(shop: Shop) -> str:
    return await shop.customer()


async def tiers(shop: Shop) -> None:
    await shop.order_rule(points=1, per=10_000)
    await shop.post("/v1/loyalty/tiers", name="Bạc", threshold=50, multiplier_percent=120)
    await shop.post("/v1/loyalty/tiers", name="Vàng", threshold=200, multiplier_percent=150)


async def tier_of(shop: Shop, customer_id: str) -> str | None:
    tier = (await shop.account(customer_id))["tier"]
    return tier["name"] if tier else None


@pytest.mark.capability(114)
async def test_a_tier_is_lost_after_the_window_and_the_grace_and_not_before(
    shop: Shop, lan: str
) -> None:
    await shop.programme(tier_window_months=3, tier_grace_days=30)
    await tiers(shop)
    await shop.order(lan, 2_000_000)
    assert await tier_of(shop, lan) == "Vàng"
    shop.clock.advance(days=80)
    await shop.order(lan, 500_000)
    await shop.sweep()
    account = await shop.account(lan)
    assert (account["tier"]["name"], account["tier"]["grace_until"]) == ("Vàng", None)
    shop.clock.advance(days=15)
    await shop.sweep()
    account = await shop.account(lan)
    assert account["tier"]["name"] == "Vàng"
    assert account["tier"]["grace_until"] is not None
    shop.clock.advance(days=29)
    await shop.sweep()
    assert await tier_of(shop, lan) == "Vàng"
    shop.clock.advance(days=2)
    await shop.sweep()
    assert await tier_of(shop, lan) == "Bạc", "75 points of the last three months"
    timeline = (await shop.get(f"/v1/customers/{lan}/timeline"))["data"]
    assert "loyalty.tier_lowered" in {entry["type"] for entry in timeline}


async def test_whoever_reaches_the_tier_again_keeps_it(shop: Shop, lan: str) -> None:
    await shop.programme(tier_window_months=1, tier_grace_days=30)
    await tiers(shop)
    await shop.order(lan, 500_000)
    shop.clock.advance(days=40)
    await shop.sweep()
    assert (await shop.account(lan))["tier"]["grace_until"] is not None
    await shop.order(lan, 500_000)
    assert (await shop.account(lan))["tier"]["grace_until"] is None
    shop.clock.advance(days=25)
    await shop.sweep()
    assert await tier_of(shop, lan) == "Bạc"


async def test_tiers_by_money_count_what_was_paid_and_kept(shop: Shop, lan: str) -> None:
    await shop.programme(tier_basis="spend")
    await shop.post("/v1/loyalty/tiers", name="VIP", threshold=5_000_000)
    await shop.order(lan, 4_000_000, "1")
    assert await tier_of(shop, lan) is None
    await shop.order(lan, 1_000_000, "2")
    assert await tier_of(shop, lan) == "VIP"
    await shop.order(
        lan, 4_000_000, "1", financial_status="partially_refunded", refunded=vnd(100_000)
    )
    await shop.sweep()
    assert (await shop.account(lan))["tier"]["grace_until"] is not None


async def test_points_given_by_hand_raise_nobody(shop: Shop, lan: str) -> None:
    await shop.programme()
    await tiers(shop)
    await shop.give(lan, 1_000)
    await shop.sweep()
    assert await tier_of(shop, lan) is None


async def test_many_are_looked_at_each_once_a_night(shop: Shop) -> None:
    await shop.programme()
    await shop.order_rule()
    people = [await shop.customer(f"Khách {n}") for n in range(8)]
    for person in people:
        await shop.order(person, 1_000_000)
    await shop.sweep()
    await shop.post("/v1/loyalty/tiers", name="Bạc", threshold=100)
    await shop.sweep()
    assert {await tier_of(shop, person) for person in people} == {None}, "only the next night"
    shop.clock.advance(days=1)
    await shop.sweep()
    assert {await tier_of(shop, person) for person in people} == {"Bạc"}


async def test_a_tier_that_is_no_more_is_nobodys(shop: Shop, lan: str) -> None:
    await shop.programme()
    await tiers(shop)
    await shop.order(lan, 2_000_000)
    listed = (await shop.get("/v1/loyalty/tiers"))["data"]
    assert [tier["name"] for tier in listed] == ["Bạc", "Vàng"]
    taken = await shop.refused("/v1/loyalty/tiers", name="Vàng 2", threshold=200)
    assert taken == (409, "loyalty_tier_taken")
    assert (await shop.send("DELETE", f"/v1/loyalty/tiers/{listed[1]['id']}")).status_code == 204
    assert await tier_of(shop, lan) is None
    shop.clock.advance(days=1)
    await shop.sweep()
    assert await tier_of(shop, lan) == "Bạc"


async def test_records_of_one_person_reach_a_tier_together(shop: Shop, lan: str) -> None:
    other = await shop.customer("Lan Nguyễn")
    await shop.programme()
    await tiers(shop)
    await shop.merge(other, into=lan)
    await shop.order(lan, 300_000)
    await shop.order(other, 300_000)
    assert await tier_of(shop, lan) == await tier_of(shop, other) == "Bạc"
    await shop.order(lan, 1_000_000)
    assert (await shop.points(lan))[0] == 30 + 30 + 120
