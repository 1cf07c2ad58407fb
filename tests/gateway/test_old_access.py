"""What lets nobody in any more is forgotten, and nothing else."""

from datetime import timedelta

import httpx
from sqlalchemy import text

from gateway.password_resets.tasks import forget_old_access
from tests.gateway.conftest import Shop, TestClock
from tests.gateway.staff import hire, log_in, mails_to, member


async def counts(shop: Shop) -> tuple[int, int, int]:
    """Sessions, refresh tokens and links of a shop."""
    async with shop.app.state.context.units.begin(shop.tenant_id) as uow:
        tables = ("session", "refresh_token", "password_reset")
        return tuple(
            [
                await uow.scalar(
                    text(f"SELECT count(*) FROM gateway.{table} WHERE tenant_id = :t"),
                    {"t": shop.tenant_id},
                )
                for table in tables
            ]
        )


async def test_a_month_after_it_ended(
    anybody: httpx.AsyncClient, shop: Shop, clock: TestClock, root_key: str
) -> None:
    units = shop.app.state.context.units
    lan = await member(shop)
    invited = await hire(shop, password=None)
    await mails_to(shop, invited["email"], count=1, root_key=root_key)
    body = {"refresh_token": lan.tokens["refresh_token"]}
    assert (await anybody.post("/v1/auth/logout", json=body)).status_code == 204
    assert await counts(shop) == (2, 2, 1)

    clock.ahead = timedelta(days=29)
    assert (await log_in(shop.app, shop, lan.email)).status_code == 200
    await forget_old_access(units)
    assert await counts(shop) == (3, 3, 1)

    # The session that was ended, the tokens of both old ones, the link. The owner's session may
    # be renewed no more and is kept until it would have ended.
    clock.ahead = timedelta(days=50)
    await forget_old_access(units)
    assert await counts(shop) == (2, 1, 0)
