"""What others are told of points, tiers, referrals and vouchers."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from services.customer.families.family import Families
from services.customer.loyalty.earning import Earning
from tests.customer.loyalty.shop import Shop, vnd
from tests.support.locks import somebody_waits


@pytest.fixture
async def lan(shop: Shop) -> str:
    return await shop.customer()


async def moves(shop: Shop) -> list[tuple[str, int, Any]]:
    """What was told of points, oldest first: what, how many, and what can be spent then."""
    told = [each for each in await shop.service.told(shop.tenant) if "movement" in each]
    return [
        (
            each["type"].removeprefix("customer.points_"),
            each["movement"]["points"],
            each["movement"]["balance"]["available"],
        )
        for each in told
    ]


async def told_of(shop: Shop, kind: str) -> list[Any]:
    return list(await shop.service.told(shop.tenant, f"customer.{kind}"))


async def test_each_step_of_an_order_s_points_is_told_with_the_balance(
    shop: Shop, lan: str
) -> None:
    await shop.programme(hold_days=7, expires_after_months=1)
    await shop.order_rule()
    order = await shop.order(lan, 500_000, "1")
    await shop.sweep()
    assert await moves(shop) == [("earned", 50, 0)]
    shop.clock.advance(days=9)
    await shop.sweep()
    await shop.sweep()
    redeemed = await shop.post(
        "/v1/loyalty/redemptions", customer_id=lan, points=20, reference="HD-1"
    )
    await shop.order(
        lan, 500_000, "1", financial_status="partially_refunded", refunded=vnd(100_000)
    )
    await shop.send("POST", f"/v1/loyalty/redemptions/{redeemed['id']}/cancel")
    await shop.send("POST", f"/v1/loyalty/redemptions/{redeemed['id']}/cancel")
    shop.clock.advance(days=40)
    await shop.sweep()
    assert await moves(shop) == [
        ("earned", 50, 0),
        ("became_available", 50, 50),
        ("redeemed", 20, 30),
        ("reversed", 10, 20),
        ("restored", 20, 40),
        ("expired", 40, 0),
    ]
    [earned] = await told_of(shop, "points_earned")
    movement = earned["movement"]
    assert (movement["customer_id"], movement["record_id"]) == (lan, lan)
    assert (movement["cause"], movement["order_id"]) == ("order", order["id"])
    [spent] = await told_of(shop, "points_redeemed")
    assert spent["movement"]["redemption_id"] == redeemed["id"]


async def test_days_of_the_shop_are_told_as_moments_of_utc(shop: Shop, lan: str) -> None:
    await shop.programme(hold_days=7, expires_after_months=1)
    await shop.post("/v1/loyalty/rules", kind="event", event="review.written", points=30)
    body = {"customer_id": lan, "event": "review.written", "reference": "1"}
    answer = await shop.post("/v1/loyalty/events", **body)
    [earned] = await told_of(shop, "points_earned")
    assert answer["available_at"] == earned["movement"]["available_at"] == "2027-03-08T17:00:00Z"
    assert earned["movement"]["expires_at"] == "2027-04-09T17:00:00Z"


async def test_what_has_expired_is_told_as_gone_before_any_sweep(shop: Shop, lan: str) -> None:
    await shop.programme(expires_after_months=1)
    await shop.order_rule()
    await shop.give(lan, 100)
    shop.clock.advance(days=40)
    await shop.order(lan, 300_000, "1")
    await shop.sweep()
    assert await moves(shop) == [
        ("adjusted", 100, 100),
        ("earned", 30, 30),
        ("became_available", 30, 30),
        ("expired", 100, 30),
    ]
    await shop.check(lan)


async def test_points_that_can_be_spent_at_once_are_told_to_be_there(shop: Shop, lan: str) -> None:
    await shop.programme()
    await shop.order_rule()
    await shop.order(lan, 100_000)
    await shop.give(lan, 5)
    await shop.give(lan, -3)
    assert await moves(shop) == [
        ("earned", 10, 10),
        ("became_available", 10, 10),
        ("adjusted", 5, 15),
        ("adjusted", -3, 12),
    ]


async def test_what_is_about_to_expire_is_told_once_as_long_before_as_the_programme_says(
    shop: Shop, lan: str
) -> None:
    await shop.programme(expires_after_months=2, expiry_notice_days=10)
    await shop.order_rule()
    mai = await shop.customer("Mai")
    await shop.order(lan, 300_000)
    await shop.order(lan, 200_000)
    await shop.order(mai, 100_000)
    shop.clock.advance(days=45)
    await shop.sweep()
    assert await told_of(shop, "points_expiring") == []
    shop.clock.advance(days=8)
    await shop.sweep()
    await shop.sweep()
    expiring = {
        each["movement"]["customer_id"]: each["movement"]
        for each in await told_of(shop, "points_expiring")
    }
    assert {customer: each["points"] for customer, each in expiring.items()} == {lan: 50, mai: 10}
    assert len(await told_of(shop, "points_expiring")) == 2
    assert expiring[lan]["expires_at"] == "2027-05-01T17:00:00Z"


async def test_the_points_of_who_was_erased_go_without_a_word(shop: Shop, lan: str) -> None:
    await shop.programme(hold_days=1, expires_after_months=1, expiry_notice_days=10)
    await shop.order_rule()
    mai = await shop.customer("Mai")
    await shop.order(lan, 300_000)
    await shop.order(mai, 100_000)
    await shop.erase(lan)
    for days in (3, 25, 10):
        shop.clock.advance(days=days)
        await shop.sweep()
    told = [each["movement"] for each in await shop.service.told(shop.tenant) if "movement" in each]
    assert [each["points"] for each in told if each["customer_id"] == lan] == [30]
    assert [each["points"] for each in told if each["customer_id"] == mai] == [10] * 4
    assert await shop.points(lan) == (0, 0, 0)


@pytest.mark.parametrize("kind", ["became_available", "expiring"])
async def test_a_sweep_that_waits_for_somebody_tells_what_they_have_added(
    shop: Shop, lan: str, kind: str
) -> None:
    await shop.programme(hold_days=1, expires_after_months=1, expiry_notice_days=10)
    await shop.order_rule()
    await shop.post("/v1/loyalty/rules", kind="event", event="checked_in", points=5)
    await shop.order(lan, 100_000)
    shop.clock.advance(days=3)
    if kind == "expiring":
        await shop.sweep()
        shop.clock.advance(days=25)
    units, customer_id, now = shop.service.context.units, UUID(lan), shop.clock.now()

    async with units.begin(shop.tenant) as uow:
        await Families(uow).lock(customer_id)
        await Earning(uow).by_event(customer_id, "checked_in", reference="1", at=now)
        sweep = asyncio.create_task(shop.sweep())
        await somebody_waits(units, shop.tenant, sweep)
        assert not sweep.done()
        await uow.commit()
    await sweep
    told = (await told_of(shop, f"points_{kind}"))[-1]["movement"]
    assert told["points"] == 10
    assert told["balance"] == {"available": 10, "pending": 5, "owed": 0}


async def test_nobody_is_told_of_expiry_where_the_programme_says_never(
    shop: Shop, lan: str
) -> None:
    await shop.programme(expires_after_months=1, expiry_notice_days=None)
    await shop.order_rule()
    await shop.order(lan, 300_000)
    shop.clock.advance(days=28)
    await shop.sweep()
    assert await told_of(shop, "points_expiring") == []


async def test_points_of_a_merged_record_are_told_of_the_person(shop: Shop, lan: str) -> None:
    await shop.programme()
    await shop.order_rule()
    other = await shop.customer("Lan Nguyễn")
    await shop.order(lan, 100_000)
    await shop.post(f"/v1/customers/{lan}/merges", customer_ids=[other])
    await shop.order(other, 200_000)
    movement = (await told_of(shop, "points_earned"))[-1]["movement"]
    assert (movement["customer_id"], movement["record_id"]) == (lan, other)
    assert movement["balance"] == {"available": 30, "pending": 0, "owed": 0}


async def test_each_change_of_a_tier_is_told(shop: Shop, lan: str) -> None:
    await shop.programme(tier_window_months=1, tier_grace_days=10)
    await shop.order_rule()
    await shop.post("/v1/loyalty/tiers", name="Bạc", threshold=50, multiplier_percent=120)
    await shop.order(lan, 500_000)
    for _ in range(3):
        shop.clock.advance(days=35)
        await shop.sweep()
    kinds = ("tier_raised", "tier_grace_began", "tier_lowered")
    told = await shop.service.told(shop.tenant, *(f"customer.{kind}" for kind in kinds))
    assert [
        (each["type"].removeprefix("customer."), (each["change"]["tier"] or {}).get("name"))
        for each in told
    ] == [("tier_raised", "Bạc"), ("tier_grace_began", "Bạc"), ("tier_lowered", None)]
    raised, grace, lowered = (each["change"] for each in told)
    assert raised["previous"] is None
    assert grace["grace_until"] is not None
    assert lowered["previous"]["name"] == "Bạc"


@pytest.mark.parametrize("left", ["Bạc", None])
async def test_who_had_a_tier_that_is_no_more_is_told_once_to_have_lost_it(
    shop: Shop, lan: str, left: str | None
) -> None:
    await shop.programme()
    await shop.order_rule()
    if left is not None:
        await shop.post("/v1/loyalty/tiers", name=left, threshold=50)
    gold = await shop.post("/v1/loyalty/tiers", name="Vàng", threshold=200)
    await shop.order(lan, 2_000_000)
    assert (await shop.send("DELETE", f"/v1/loyalty/tiers/{gold['id']}")).status_code == 204
    for _ in range(2):
        shop.clock.advance(days=1)
        await shop.sweep()
    kinds = ("tier_raised", "tier_grace_began", "tier_lowered")
    told = await shop.service.told(shop.tenant, *(f"customer.{kind}" for kind in kinds))
    assert [
        (each["type"].removeprefix("customer."), (each["change"]["tier"] or {}).get("name"))
        for each in told
    ] == [("tier_raised", "Vàng"), ("tier_lowered", left)]
    assert told[-1]["change"]["previous"]["name"] == "Vàng"
    entries = (await shop.get(f"/v1/customers/{lan}/timeline", kind="loyalty"))["data"]
    fallen = [each["data"]["to"] for each in entries if each["type"] == "loyalty.tier_lowered"]
    assert fallen == [left]


@pytest.mark.parametrize("threshold", [50, 200])
async def test_who_rises_from_a_tier_that_is_no_more_is_told_of_no_fall(
    shop: Shop, lan: str, threshold: int
) -> None:
    await shop.programme()
    await shop.order_rule()
    silver = await shop.post("/v1/loyalty/tiers", name="Bạc", threshold=50)
    await shop.order(lan, 2_000_000)
    assert (await shop.send("DELETE", f"/v1/loyalty/tiers/{silver['id']}")).status_code == 204
    await shop.post("/v1/loyalty/tiers", name="Vàng", threshold=threshold)
    shop.clock.advance(days=1)
    await shop.sweep()
    [_, raised] = await told_of(shop, "tier_raised")
    assert raised["change"]["previous"]["name"] == "Bạc"
    assert raised["change"]["tier"]["name"] == "Vàng"
    assert await told_of(shop, "tier_lowered") == []


async def test_of_many_tiers_that_are_no_more_the_last_are_remembered(shop: Shop, lan: str) -> None:
    await shop.programme()
    await shop.order_rule()
    silver = await shop.post("/v1/loyalty/tiers", name="Bạc", threshold=50)
    await shop.order(lan, 2_000_000)
    others = [
        await shop.post("/v1/loyalty/tiers", name=f"Hạng {n}", threshold=1_000 + n)
        for n in range(20)
    ]
    for tier in (silver, *others):
        answer = await shop.send("DELETE", f"/v1/loyalty/tiers/{tier['id']}")
        assert answer.status_code == 204
        shop.clock.advance(seconds=1)
    assert (await shop.send("DELETE", f"/v1/loyalty/tiers/{silver['id']}")).status_code == 404
    shop.clock.advance(days=1)
    await shop.sweep()
    [lowered] = await told_of(shop, "tier_lowered")
    assert (lowered["change"]["tier"], lowered["change"]["previous"]) == (None, None)


async def test_the_tier_of_who_was_erased_ends_without_a_word(shop: Shop, lan: str) -> None:
    await shop.programme(tier_window_months=1, tier_grace_days=10)
    await shop.order_rule()
    await shop.post("/v1/loyalty/tiers", name="Bạc", threshold=50)
    await shop.order(lan, 500_000)
    await shop.erase(lan)
    for _ in range(3):
        shop.clock.advance(days=35)
        await shop.sweep()
    assert (await shop.account(lan))["tier"] is None
    told = [each for each in await shop.service.told(shop.tenant) if "change" in each]
    assert [each["type"] for each in told] == ["customer.tier_raised"]
    timeline = (await shop.get(f"/v1/customers/{lan}/timeline"))["data"]
    assert "loyalty.tier_lowered" not in {entry["type"] for entry in timeline}


async def test_a_rewarded_referral_is_told_once(shop: Shop, lan: str) -> None:
    await shop.programme()
    reward = {"referrer_points": 100, "friend_points": 50}
    assert (await shop.send("PUT", "/v1/referrals/programme", json=reward)).status_code == 200
    friend = await shop.customer("Mai")
    code = (await shop.post("/v1/referrals/codes", customer_id=lan))["code"]
    referral = await shop.post("/v1/referrals", code=code, customer_id=friend)
    shop.clock.advance(hours=1)
    for number in ("1", "2"):
        await shop.order(friend, 300_000, number)
    [told] = await told_of(shop, "referral_rewarded")
    assert told["referral"] | reward == told["referral"]
    assert told["referral"]["referral_id"] == referral["id"]
    assert (told["referral"]["referrer_id"], told["referral"]["friend_id"]) == (lan, friend)


async def test_a_voucher_is_told_when_it_is_somebody_s_and_with_each_use(
    shop: Shop, lan: str
) -> None:
    made = await shop.post("/v1/vouchers", name="Tết", kind="amount", value=vnd(50_000))
    codes = f"/v1/vouchers/{made['id']}/codes"
    await shop.post(codes, count=2)
    issued = (await shop.post(codes, customer_ids=[lan]))["data"][0]
    [told] = await told_of(shop, "voucher_issued")
    assert (told["voucher"]["customer_id"], told["voucher"]["code"]) == (lan, issued["code"])
    used = await shop.post(
        "/v1/vouchers/redemptions", code=issued["code"], order_total=vnd(300_000)
    )
    await shop.send("POST", f"/v1/vouchers/redemptions/{used['id']}/cancel")
    await shop.send("POST", f"/v1/vouchers/redemptions/{used['id']}/cancel")
    told = await shop.service.told(
        shop.tenant, "customer.voucher_redeemed", "customer.voucher_redemption_cancelled"
    )
    assert [
        (each["redemption"]["status"], each["redemption"]["discount_minor"]) for each in told
    ] == [("done", 50_000), ("cancelled", 50_000)]
    assert {each["redemption"]["customer_id"] for each in told} == {lan}


async def test_what_is_refused_is_not_told(shop: Shop, lan: str) -> None:
    await shop.programme()
    assert (await shop.refused("/v1/loyalty/redemptions", customer_id=lan, points=5))[0] == 409
    assert await moves(shop) == []
