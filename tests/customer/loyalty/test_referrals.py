"""Referrals: a friend's first paid order rewards both, once; nobody brings themselves."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.gateway import PlatformIdentity
from shared.ids import new_id
from shared.security.principal import PrincipalKind, Visibility
from tests.customer.loyalty.shop import Shop, vnd
from tests.customer.told import platform_customer, platform_order


@pytest.fixture
async def lan(shop: Shop) -> str:
    """A customer of a shop that gives 100 points to her and 50 to each friend."""
    await shop.programme()
    await give(shop)
    return await shop.customer()


async def give(shop: Shop, **said: Any) -> None:
    body = {"referrer_points": 100, "friend_points": 50, **said}
    answer = await shop.send("PUT", "/v1/referrals/programme", json=body)
    assert answer.status_code == 200, answer.text


async def code_of(shop: Shop, customer_id: str) -> str:
    code: str = (await shop.post("/v1/referrals/codes", customer_id=customer_id))["code"]
    return code


async def bring(shop: Shop, referrer: str, friend: str) -> Any:
    code = await code_of(shop, referrer)
    return await shop.post("/v1/referrals", code=code, customer_id=friend)


async def refusal(shop: Shop, referrer: str, friend: str) -> str:
    body = {"code": await code_of(shop, referrer), "customer_id": friend}
    answer = await shop.send("POST", "/v1/referrals", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "referral_refused"), answer.text
    reason: str = answer.json()["reason"]
    return reason


@pytest.mark.capability(115)
async def test_the_first_paid_order_rewards_both_once_and_the_rate_is_reported(
    shop: Shop, lan: str
) -> None:
    friend, stranger = await shop.customer("Mai"), await shop.customer("Bình")
    referral = await bring(shop, lan, friend)
    assert referral["status"] == "pending"
    assert await refusal(shop, lan, lan) == "same_person"

    shop.clock.advance(hours=1)
    await shop.order(friend, 300_000, "1", financial_status="pending")
    assert (await shop.points(lan), await shop.points(friend)) == ((0, 0, 0), (0, 0, 0))
    await shop.order(friend, 300_000, "1")
    await shop.order(friend, 300_000, "2")
    await shop.order(stranger, 300_000, "3")
    assert (await shop.points(lan), await shop.points(friend)) == ((100, 0, 0), (50, 0, 0))
    assert (await shop.get(f"/v1/referrals/{referral['id']}"))["status"] == "rewarded"

    params = {"from": "2027-03-01T00:00:00Z", "to": "2027-03-02T00:00:00Z"}
    report = await shop.get("/v1/referrals/report", **params)
    assert (report["rewarded"], report["first_orders"], report["referral_rate"]) == (1, 2, 0.5)
    assert (report["referrers"], report["customers"], report["referrer_rate"]) == (1, 3, 0.3333)
    await shop.check(lan, friend)


async def test_those_who_brought_somebody_are_people_among_the_customers(
    shop: Shop, lan: str
) -> None:
    bo, again, ca, twin = [await shop.customer(name) for name in ("Bo", "Bo 2", "Ca", "Ca 2")]
    for referrer, name in ((lan, "Mai"), (lan, "Na"), (bo, "Oanh"), (again, "Phi")):
        await bring(shop, referrer, await shop.customer(name))
    await shop.merge(again, into=bo)
    void = await bring(shop, ca, twin)
    await shop.merge(twin, into=ca)
    await shop.order(twin, 300_000)
    assert (await shop.get(f"/v1/referrals/{void['id']}"))["status"] == "void"

    params = {"from": "2027-03-01T00:00:00Z", "to": "2027-03-02T00:00:00Z"}
    report = await shop.get("/v1/referrals/report", **params)
    assert (report["registered"], report["referrers"]) == (5, 2)
    assert (report["customers"], report["referrer_rate"]) == (3, 0.6667), "Lan, Bo, and Ca bought"
    await shop.order(bo, 300_000)
    again_asked = await shop.get("/v1/referrals/report", **params)
    assert (again_asked["customers"], again_asked["referrers"]) == (3, 2)
    later = {"from": "2027-03-02T00:00:00Z", "to": "2027-03-03T00:00:00Z"}
    assert (await shop.get("/v1/referrals/report", **later))["referrer_rate"] == 0


@pytest.mark.parametrize("visibility", [Visibility.OWN, Visibility.TEAM])
async def test_the_report_of_the_whole_shop_is_for_those_who_see_it(
    shop: Shop, lan: str, visibility: Visibility
) -> None:
    params = {"from": "2027-03-01T00:00:00Z", "to": "2027-03-02T00:00:00Z"}
    staff = {"kind": PrincipalKind.STAFF, "actor_id": str(new_id())}
    async with shop.client(**staff, visibility=visibility) as agent:
        refused = await agent.get("/v1/referrals/report", params=params)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    async with shop.client(**staff) as owner:
        assert (await owner.get("/v1/referrals/report", params=params)).status_code == 200


async def test_orders_of_a_friend_that_come_at_once_reward_once(shop: Shop, lan: str) -> None:
    friend = await shop.customer("Mai")
    await bring(shop, lan, friend)
    await asyncio.gather(*(shop.order(friend, 300_000, str(n)) for n in range(8)))
    assert (await shop.points(lan), await shop.points(friend)) == ((100, 0, 0), (50, 0, 0))


async def test_what_nobody_waits_for_is_available_while_time_goes_on(shop: Shop, lan: str) -> None:
    await shop.order_rule()
    friend = await shop.customer("Mai")
    await bring(shop, lan, friend)
    shop.clock.run(timedelta(microseconds=100))
    await shop.order(friend, 300_000)
    assert (await shop.points(lan), await shop.points(friend)) == ((100, 0, 0), (80, 0, 0))


async def test_a_friends_order_from_a_platform_rewards_too(shop: Shop, lan: str) -> None:
    buyer = PlatformIdentity(external_id="207119551", name="Mai")
    now = {"placed_at": shop.clock.now(), "changed_at": shop.clock.now()}
    await shop.service.receive(shop.tenant, "gateway", [platform_customer(name="Mai")])
    [friend] = [
        each["id"] for each in (await shop.get("/v1/customers"))["data"] if each["id"] != lan
    ]
    await bring(shop, lan, friend)
    told = [platform_order(number, buyer=buyer, **now) for number in ("1001", "1002")]
    await shop.service.receive(shop.tenant, "gateway", told)
    assert (await shop.points(lan), await shop.points(friend)) == ((100, 0, 0), (50, 0, 0))


async def test_the_reward_goes_with_the_order_that_is_given_back(shop: Shop, lan: str) -> None:
    friend = await shop.customer("Mai")
    await shop.programme(hold_days=7)
    await bring(shop, lan, friend)
    await shop.order(friend, 300_000, "1")
    assert (await shop.points(lan), await shop.points(friend)) == ((0, 100, 0), (0, 50, 0))
    await shop.order(friend, 300_000, "1", financial_status="refunded", refunded=vnd(300_000))
    assert (await shop.points(lan), await shop.points(friend)) == ((0, 0, 0), (0, 0, 0))
    await shop.order(friend, 300_000, "2")
    assert await shop.points(lan) == (0, 0, 0), "once is once"
    await shop.check(lan, friend)


async def test_whoever_has_ordered_or_was_brought_before_is_no_new_friend(
    shop: Shop, lan: str
) -> None:
    old, mai, bo = [await shop.customer(name) for name in ("Cũ", "Mai", "Bo")]
    await shop.order(old, 10_000)
    assert await refusal(shop, lan, old) == "not_new"
    await bring(shop, lan, mai)
    assert await refusal(shop, bo, mai) == "already_referred"


async def test_nobody_brings_another_record_of_themselves(shop: Shop, lan: str) -> None:
    other = await shop.customer("Lan Nguyễn")
    await shop.merge(other, into=lan)
    assert await refusal(shop, lan, other) == "same_person"
    assert await code_of(shop, other) == await code_of(shop, lan)


async def test_one_phone_number_is_one_person(shop: Shop) -> None:
    await shop.programme()
    await give(shop)
    lan = await shop.customer(phone="0912345678")
    again = await shop.customer("Lan 2", phone="+84 912 345 678")
    assert await refusal(shop, lan, again) == "same_person"


async def test_rings_are_refused_even_when_they_close_at_once(shop: Shop, lan: str) -> None:
    mai, bo, ca = [await shop.customer(name) for name in ("Mai", "Bo", "Ca")]
    codes = [await code_of(shop, who) for who in (mai, bo, ca)]
    async with shop.client() as client:
        answers = await asyncio.gather(
            *(
                client.post("/v1/referrals", json={"code": code, "customer_id": friend})
                for code, friend in zip(codes, (bo, ca, mai), strict=True)
            )
        )
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409]
    [refused] = [answer.json() for answer in answers if answer.status_code == 409]
    assert refused["reason"] == "ring"


async def test_a_ring_is_found_behind_those_who_were_met_before(shop: Shop, lan: str) -> None:
    bo, mai, again, far = [await shop.customer(name) for name in ("Bo", "Mai", "Mai 2", "Phi")]
    for referrer, friend in ((lan, mai), (bo, again), (bo, lan), (far, bo)):
        await bring(shop, referrer, friend)
    await shop.merge(again, into=mai)
    assert await refusal(shop, mai, far) == "ring"


async def test_a_referral_of_which_nothing_came_closes_no_ring(shop: Shop, lan: str) -> None:
    mai = await shop.customer("Mai")
    void = await bring(shop, lan, mai)
    await shop.order(mai, 300_000, placed_at="2027-02-01T00:00:00Z")
    assert (await shop.get(f"/v1/referrals/{void['id']}"))["status"] == "void"
    assert (await bring(shop, mai, lan))["status"] == "pending"


async def test_who_turns_out_to_be_the_same_or_not_new_brings_nothing(shop: Shop, lan: str) -> None:
    friend, mai = await shop.customer("Lan 2"), await shop.customer("Mai")
    same, late = await bring(shop, lan, friend), await bring(shop, lan, mai)
    await shop.merge(friend, into=lan)
    await shop.order(friend, 300_000)
    await shop.order(mai, 300_000, placed_at="2027-02-01T00:00:00Z")
    found = [await shop.get(f"/v1/referrals/{each['id']}") for each in (same, late)]
    assert [(each["status"], each["reason"]) for each in found] == [
        ("void", "same_person"),
        ("void", "not_new"),
    ]
    assert await shop.points(lan) == (0, 0, 0)


@pytest.mark.parametrize("friend_points", [50, 0])
async def test_an_order_that_was_somebody_elses_has_rewarded_nobody(
    shop: Shop, lan: str, friend_points: int
) -> None:
    await give(shop, friend_points=friend_points)
    mai, bo = await shop.customer("Mai"), await shop.customer("Bo")
    referral = await bring(shop, lan, mai)

    async def rewarded() -> tuple[tuple[str, Any], int, int]:
        row = await shop.get(f"/v1/referrals/{referral['id']}")
        points = [(await shop.points(who))[0] for who in (lan, mai)]
        return (row["status"], row["order_id"]), points[0], points[1]

    nothing = (("pending", None), 0, 0)
    first = await shop.order(mai, 300_000, "1")
    assert await rewarded() == (("rewarded", first["id"]), 100, friend_points)
    await shop.order(bo, 300_000, "1")
    assert await rewarded() == nothing
    await shop.order(bo, 400_000, "1")
    assert await rewarded() == nothing
    await shop.order(mai, 300_000, "1")
    assert await rewarded() == (("rewarded", first["id"]), 100, friend_points)
    await shop.order(bo, 300_000, "1")
    second = await shop.order(mai, 300_000, "2")
    assert await rewarded() == (("rewarded", second["id"]), 100, friend_points)
    await shop.order(mai, 300_000, "1")
    await shop.order(mai, 350_000, "1")
    assert await rewarded() == (("rewarded", second["id"]), 100, friend_points), "once"
    await shop.check(lan, mai, bo)


async def test_an_order_of_another_record_of_the_friend_s_goes_on_to_reward(
    shop: Shop, lan: str
) -> None:
    mai, again = await shop.customer("Mai"), await shop.customer("Mai Trần")
    referral = await bring(shop, lan, mai)
    await shop.merge(again, into=mai)
    await shop.order(mai, 300_000, "1")
    await shop.order(again, 300_000, "1")
    assert (await shop.get(f"/v1/referrals/{referral['id']}"))["status"] == "rewarded"
    assert (await shop.points(lan), await shop.points(mai)) == ((100, 0, 0), (50, 0, 0))


async def test_a_friend_brought_as_two_records_is_rewarded_once(shop: Shop, lan: str) -> None:
    bo = await shop.customer("Bo")
    mai, again = await shop.customer("Mai"), await shop.customer("Mai Trần")
    await bring(shop, lan, mai)
    await bring(shop, bo, again)
    await shop.merge(again, into=mai)
    await shop.order(again, 300_000)
    assert (await shop.points(lan), await shop.points(bo)) == ((100, 0, 0), (0, 0, 0))
    statuses = [each["status"] for each in (await shop.get("/v1/referrals"))["data"]]
    assert sorted(statuses) == ["rewarded", "void"]


async def test_nothing_is_registered_while_nothing_is_given(shop: Shop, lan: str) -> None:
    mai, bo = await shop.customer("Mai"), await shop.customer("Bo")
    await bring(shop, lan, mai)
    await give(shop, active=False)
    body = {"code": await code_of(shop, lan), "customer_id": bo}
    assert await shop.refused("/v1/referrals", **body) == (409, "no_referral_programme")
    await shop.order(mai, 300_000)
    assert await shop.points(lan) == (0, 0, 0)
    assert (await shop.refused("/v1/referrals", code="BAN-X", customer_id=bo))[0] == 409
    await give(shop)
    stranger = {"code": "BAN-X", "customer_id": bo}
    assert await shop.refused("/v1/referrals", **stranger) == (404, "referral_code_not_found")


async def test_lists_are_filtered_and_a_shopper_gets_their_own_code(
    shop: Shop, lan: str, open_shop
) -> None:
    mai, bo, ca = [await shop.customer(name) for name in ("Mai", "Bo", "Ca")]
    first, second = await bring(shop, lan, mai), await bring(shop, bo, ca)
    await shop.order(mai, 300_000)

    async def listed(**params: str) -> list[str]:
        return [each["id"] for each in (await shop.get("/v1/referrals", **params))["data"]]

    assert await listed() == [second["id"], first["id"]]
    assert await listed(status="pending") == [second["id"]]
    assert await listed(referrer_id=lan) == [first["id"]]
    async with shop.shopper(lan) as shopper:
        own = await shopper.post("/v1/referrals/codes", json={"customer_id": lan})
        assert own.json()["code"] == await code_of(shop, lan)
        other = await shopper.post("/v1/referrals/codes", json={"customer_id": mai})
        assert other.status_code == 404
    other_shop = Shop(shop.service, shop.clock, await open_shop())
    assert (await other_shop.get("/v1/referrals"))["data"] == []
    assert (await other_shop.send("GET", f"/v1/referrals/{first['id']}")).status_code == 404


async def test_staff_who_see_their_own_customers_see_their_friends_only(
    shop: Shop, lan: str
) -> None:
    mai = await shop.customer("Mai")
    referral = await bring(shop, lan, mai)
    staff = {"kind": PrincipalKind.STAFF, "visibility": Visibility.OWN}
    async with shop.client(**staff, actor_id=str(new_id())) as agent:
        seen = (await agent.get("/v1/referrals")).json()["data"]
        assert [each["id"] for each in seen] == [referral["id"]], "nobody owns them"
