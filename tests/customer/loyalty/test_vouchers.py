"""Vouchers and gifts: what they are worth, who can use them, and how often."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest

from shared.ids import new_id
from tests.customer.loyalty.shop import Shop, vnd


@pytest.fixture
async def lan(shop: Shop) -> str:
    return await shop.customer()


async def voucher(shop: Shop, **said: Any) -> Any:
    """A voucher with one code, `TET2027` unless said; both."""
    code = said.pop("code", "TET2027")
    body = {"name": "Tết", "kind": "amount", "value": vnd(50_000), **said}
    made = await shop.post("/v1/vouchers", **{k: v for k, v in body.items() if v is not None})
    await shop.post(f"/v1/vouchers/{made['id']}/codes", code=code)
    return made


def use(total: int, code: str = "TET2027", **said: Any) -> dict[str, Any]:
    return {"code": code, "order_total": vnd(total), **said}


async def reason(shop: Shop, **body: Any) -> str:
    answer = await shop.send("POST", "/v1/vouchers/redemptions", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "voucher_refused"), answer.text
    found: str = answer.json()["reason"]
    return found


@pytest.mark.capability(116)
async def test_a_voucher_is_issued_and_used_within_its_limits_and_the_lawful_half(
    shop: Shop, lan: str
) -> None:
    made = await shop.post(
        "/v1/vouchers",
        name="Giảm 200 nghìn",
        kind="amount",
        value=vnd(200_000),
        uses_per_code=None,
        limit_per_customer=2,
    )
    assert made["max_value_percent"] == 50
    issued = await shop.post(f"/v1/vouchers/{made['id']}/codes", customer_ids=[lan])
    code = issued["data"][0]["code"]

    quote = await shop.post("/v1/vouchers/quotes", **use(300_000, code))
    assert (quote["discount"], quote["payable"], quote["capped_by"]) == (
        vnd(150_000),
        vnd(150_000),
        "value_cap",
    )
    used = await shop.post("/v1/vouchers/redemptions", **use(300_000, code.lower()))
    assert (used["discount"], used["customer_id"]) == (vnd(150_000), lan)
    full = await shop.post("/v1/vouchers/redemptions", **use(1_000_000, code))
    assert full["discount"] == vnd(200_000)
    assert await reason(shop, **use(1_000_000, code)) == "customer_limit_reached"

    lawful_elsewhere = await voucher(shop, value=vnd(200_000), max_value_percent=80)
    assert lawful_elsewhere["max_value_percent"] == 80
    assert (await shop.post("/v1/vouchers/quotes", **use(200_000)))["discount"] == vnd(160_000)
    gift = {"kind": "gift", "gift": "Túi vải", "value": vnd(60_000), "code": "QUATET"}
    await voucher(shop, **gift)
    assert await reason(shop, **use(119_999, "QUATET")) == "gift_above_value_cap"
    assert (await shop.post("/v1/vouchers/quotes", **use(120_000, "QUATET")))["gift"] == "Túi vải"


async def test_a_code_used_by_many_at_once_is_used_once(shop: Shop) -> None:
    await voucher(shop)
    async with shop.client() as client:
        answers = await asyncio.gather(
            *(client.post("/v1/vouchers/redemptions", json=use(500_000)) for _ in range(30))
        )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 29}
    assert {a.json()["reason"] for a in answers if a.status_code == 409} == {"used_up"}


async def test_many_codes_of_one_voucher_at_once_keep_its_limits(shop: Shop, lan: str) -> None:
    other = await shop.customer("Lan Nguyễn")
    await shop.merge(other, into=lan)
    mai = await shop.customer("Mai")
    made = await voucher(shop, limit_total=12, limit_per_customer=10)
    path = f"/v1/vouchers/{made['id']}/codes"
    codes = [row["code"] for row in (await shop.post(path, count=40, prefix="tet-"))["data"]]
    assert len(set(codes)) == 40
    assert all(code.startswith("TET-") for code in codes)
    people = [lan, other, lan, mai] * 10
    async with shop.client() as client:

        async def used(code: str, who: str) -> httpx.Response:
            body = use(500_000, code, customer_id=who)
            return await client.post("/v1/vouchers/redemptions", json=body)

        answers = await asyncio.gather(*map(used, codes, people))
    done = [a.json()["customer_id"] for a in answers if a.status_code == 201]
    assert {answer.status_code for answer in answers} == {201, 409}
    assert len(done) == 12
    assert sum(who != mai for who in done) <= 10
    assert (await shop.get(f"/v1/vouchers/{made['id']}"))["left"] == 0


async def test_a_cancelled_use_does_not_count(shop: Shop, lan: str) -> None:
    made = await voucher(shop, limit_per_customer=1, limit_total=1)
    used = await shop.post("/v1/vouchers/redemptions", **use(500_000, customer_id=lan))
    assert await reason(shop, **use(500_000, customer_id=lan)) == "sold_out"
    path = f"/v1/vouchers/redemptions/{used['id']}"
    cancelled = await asyncio.gather(*(shop.post(f"{path}/cancel") for _ in range(4)))
    assert {c["status"] for c in cancelled} == {"cancelled"}
    assert (await shop.get(f"/v1/vouchers/{made['id']}"))["left"] == 1
    assert (await shop.get("/v1/vouchers/codes/tet2027"))["used"] == 0
    await shop.post("/v1/vouchers/redemptions", **use(500_000, customer_id=lan))


async def test_a_voucher_has_its_time_its_least_order_and_its_money(shop: Shop, lan: str) -> None:
    made = await voucher(
        shop,
        valid_from="2027-03-02T00:00:00Z",
        valid_until="2027-03-05T00:00:00Z",
        min_order=vnd(100_000),
        limit_per_customer=5,
    )
    assert await reason(shop, **use(500_000)) == "not_yet_valid"
    shop.clock.advance(days=2)
    assert await reason(shop, **use(99_999)) == "order_too_small"
    dollars = {"amount": "500.00", "currency": "USD"}
    assert await reason(shop, code="TET2027", order_total=dollars) == "other_currency"
    assert await reason(shop, **use(500_000)) == "customer_needed"
    path = f"/v1/vouchers/{made['id']}"
    await shop.send("PATCH", path, json={"active": False})
    assert await reason(shop, **use(500_000, customer_id=lan)) == "not_active"
    await shop.send("PATCH", path, json={"active": True})
    shop.clock.advance(days=2)
    assert await reason(shop, **use(500_000, customer_id=lan)) == "expired"


async def test_a_percentage_is_rounded_down_and_bounded(shop: Shop) -> None:
    await voucher(shop, kind="percent", value=None, percent=15, max_discount=vnd(30_000))
    quotes = [await shop.post("/v1/vouchers/quotes", **use(n)) for n in (99_999, 400_000)]
    assert [(q["discount"]["amount"], q["capped_by"]) for q in quotes] == [
        ("14999", None),
        ("30000", "max_discount"),
    ]


async def test_a_code_of_one_customer_is_nobody_elses(shop: Shop, lan: str) -> None:
    made = await voucher(shop)
    mai = await shop.customer("Mai")
    other = await shop.customer("Lan Nguyễn")
    path = f"/v1/vouchers/{made['id']}/codes"
    codes = (await shop.post(path, customer_ids=[lan, mai]))["data"]
    [code] = [row["code"] for row in codes if row["customer_id"] == lan]
    assert await reason(shop, **use(500_000, code, customer_id=mai)) == "not_this_customers"
    await shop.merge(lan, into=other)
    async with shop.shopper(other) as shopper:
        own = await shopper.get("/v1/vouchers/codes", params={"customer_id": other})
        assert [row["code"] for row in own.json()["data"]] == [code]
        others = await shopper.get("/v1/vouchers/codes", params={"customer_id": mai})
        assert others.status_code == 404
    await shop.post("/v1/vouchers/redemptions", **use(500_000, code, customer_id=other))
    again = (await shop.post(path, customer_ids=[mai, lan, other]))["data"]
    assert {row["customer_id"] for row in again} == {mai, lan}, "one of each person"


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "percent", "value": None},
        {"kind": "percent", "value": None, "percent": 51},
        {"kind": "amount", "percent": 5},
        {"kind": "gift"},
        {"value": vnd(0)},
        {"value": {"amount": "5.00", "currency": "USD"}},
        {"max_discount": vnd(5)},
        {"valid_from": "2027-03-02T00:00:00Z", "valid_until": "2027-03-01T00:00:00Z"},
    ],
)
async def test_what_no_voucher_can_be_is_refused(shop: Shop, said: dict[str, Any]) -> None:
    body = {"name": "Tết", "kind": "amount", "value": vnd(50_000), **said}
    sent = {name: value for name, value in body.items() if value is not None}
    assert (await shop.refused("/v1/vouchers", **sent))[0] == 422


async def test_codes_are_given_once_and_made_in_one_way(shop: Shop) -> None:
    made = await voucher(shop)
    path = f"/v1/vouchers/{made['id']}/codes"
    assert await shop.refused(path, code="tet2027") == (409, "voucher_code_taken")
    for body in ({}, {"count": 1, "code": "ABCD"}, {"count": 1001}):
        assert (await shop.refused(path, **body))[0] == 422
    stranger = {"customer_ids": [str(new_id())]}
    assert await shop.refused(path, **stranger) == (404, "customer_not_found")
    await shop.post(path, count=5)
    listed = await shop.get(path, limit=4)
    rest = await shop.get(path, limit=4, cursor=listed["next_cursor"])
    assert len({row["id"] for row in listed["data"] + rest["data"]}) == 6
    assert rest["next_cursor"] is None


async def test_another_shop_has_other_codes(shop: Shop, open_shop) -> None:
    made = await voucher(shop)
    other = Shop(shop.service, shop.clock, await open_shop())
    assert (await other.send("GET", f"/v1/vouchers/{made['id']}")).status_code == 404
    assert (await other.refused("/v1/vouchers/redemptions", **use(500_000)))[0] == 404
    await voucher(other)
    assert len((await other.get("/v1/vouchers"))["data"]) == 1
