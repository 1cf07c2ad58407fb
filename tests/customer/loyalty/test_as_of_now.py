"""What an account tells is what a redemption would find, before any sweep has written it."""

import pytest

from tests.customer.loyalty.shop import Shop, vnd


@pytest.fixture
async def lan(shop: Shop) -> str:
    await shop.programme()
    return await shop.customer()


async def test_what_is_over_is_not_told_as_available_before_any_sweep(shop: Shop, lan: str) -> None:
    await shop.programme(expires_after_months=1)
    await shop.order_rule()
    await shop.order(lan, 500_000)
    spent = await shop.post("/v1/loyalty/redemptions", customer_id=lan, points=10)
    shop.clock.advance(days=62)
    account = await shop.account(lan)
    assert (account["available"], account["value"], account["next_expiry"]) == (0, vnd(0), None)
    told = await shop.get(f"/v1/loyalty/redemptions/{spent['id']}")
    body = {"customer_id": lan, "points": 1}
    refused = (await shop.send("POST", "/v1/loyalty/redemptions", json=body)).json()
    assert (told["available"], refused["available"]) == (0, 0)
    kinds = [entry["kind"] for entry in await shop.entries(lan)]
    assert kinds == ["redeem", "earn"], "reading has written nothing"
    await shop.sweep()
    assert await shop.account(lan) == account


async def test_what_is_due_is_told_as_available_and_pays_what_is_owed_before_any_sweep(
    shop: Shop, lan: str
) -> None:
    await shop.order_rule()
    await shop.order(lan, 300_000, "1")
    await shop.post("/v1/loyalty/redemptions", customer_id=lan, points=30)
    await shop.order(lan, 300_000, "1", status="cancelled")
    await shop.programme(hold_days=1, expires_after_months=1)
    await shop.order(lan, 400_000)
    shop.clock.advance(hours=1)
    await shop.order(lan, 500_000)
    assert await shop.points(lan) == (0, 90, 30)
    shop.clock.advance(days=2)
    account = await shop.account(lan)
    assert [account[name] for name in ("available", "pending", "owed")] == [60, 0, 0]
    assert account["next_expiry"] == {"points": 60, "at": "2027-04-03T17:00:00Z"}
    assert "mature" not in [entry["kind"] for entry in await shop.entries(lan)]
    await shop.sweep()
    assert await shop.account(lan) == account
    await shop.check(lan)
