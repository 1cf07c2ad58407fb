"""Which shops the sweeps look at; the database tells it by its own clock."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from services.customer.loyalty.tasks import IN_TIME, TO_REVIEW, TO_TELL, LoyaltySweeps
from tests.customer.loyalty.shop import Shop


@pytest.fixture
async def today(shop: Shop) -> datetime:
    now = datetime.now(UTC)
    shop.clock.set(now)
    return now


async def is_listed(shop: Shop, listing: str) -> bool:
    return shop.tenant in await shop.service.context.units.tenants(listing)


def sweeps_of(shop: Shop) -> LoyaltySweeps:
    return LoyaltySweeps(shop.service.context.units)


async def test_shops_whose_points_have_come_to_their_day(shop: Shop, today: datetime) -> None:
    shop.clock.set(today - timedelta(days=100))
    await shop.programme(hold_days=7, expires_after_months=1)
    await shop.order_rule()
    lan = await shop.customer()
    shop.clock.set(today)
    await shop.order(lan, 500_000)
    assert not await is_listed(shop, IN_TIME), "they are held back"
    # What was held back becomes available; what expired long ago is gone at once.
    for days_ago in (10, 80):
        shop.clock.set(today - timedelta(days=days_ago))
        await shop.order(lan, 1_000_000, f"HD-{days_ago}-days-ago")
        assert await is_listed(shop, IN_TIME)
        shop.clock.set(today)
        await sweeps_of(shop).keep_time()
        assert not await is_listed(shop, IN_TIME)
        assert await shop.points(lan) == (100, 50, 0)


async def test_shops_that_want_to_tell_of_an_expiry(shop: Shop, today: datetime) -> None:
    await shop.programme(expires_after_months=1)
    lan = await shop.customer()
    await shop.give(lan, 100)
    assert not await is_listed(shop, TO_TELL), "nobody is told"
    await shop.programme(expires_after_months=1, expiry_notice_days=10)
    assert not await is_listed(shop, TO_TELL), "it is too early"
    await shop.programme(expires_after_months=1, expiry_notice_days=40)
    assert await is_listed(shop, TO_TELL)
    await sweeps_of(shop).tell_expiry()
    assert not await is_listed(shop, TO_TELL)
    assert len(await shop.service.told(shop.tenant, "customer.points_expiring")) == 1


async def test_shops_whose_day_has_ended(shop: Shop, today: datetime) -> None:
    assert not await is_listed(shop, TO_REVIEW), "without a programme"
    await shop.programme()
    assert await is_listed(shop, TO_REVIEW)
    for _ in range(2):
        await sweeps_of(shop).review_tiers()
        assert not await is_listed(shop, TO_REVIEW)
        async with shop.service.context.units.begin(shop.tenant) as uow:
            over = "UPDATE customer.loyalty_programme SET review_due_at = :at WHERE tenant_id = :t"
            await uow.execute(text(over), {"at": today - timedelta(minutes=1), "t": shop.tenant})
            await uow.commit()
        assert await is_listed(shop, TO_REVIEW)
