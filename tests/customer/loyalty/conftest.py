"""The customer service with a clock that tests set, and a shop of its own per test."""

from collections.abc import AsyncIterator

import pytest

from services.customer.app import create_app
from services.customer.handlers import build_handlers
from services.customer.settings import CustomerSettings
from shared.ids import TenantId
from tests.customer.loyalty.shop import START, ManualClock, Shop
from tests.support.harness import ServiceHarness


@pytest.fixture(scope="session")
def session_clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="session")
async def service(
    database_url: str, redis_url: str, root_key: str, session_clock: ManualClock
) -> AsyncIterator[ServiceHarness]:
    settings = CustomerSettings(
        secret_key=root_key,
        admin_database_url=database_url,
        redis_url=redis_url,
        access_log=False,
        _env_file=None,
    )
    app = create_app(settings, clock=session_clock)
    context = app.state.context
    async with app.router.lifespan_context(app):
        yield ServiceHarness(app, context, build_handlers(context))


@pytest.fixture
async def shop(service: ServiceHarness, open_shop, session_clock: ManualClock) -> Shop:
    session_clock.set(START)
    tenant: TenantId = await open_shop()
    return Shop(service, session_clock, tenant)
