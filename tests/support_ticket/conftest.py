"""The support-ticket service, once per run; a shop of its own per test."""

import pytest

from services.support_ticket.app import create_app
from services.support_ticket.handlers import build_handlers
from services.support_ticket.settings import SupportTicketSettings
from shared.ids import TenantId, new_id
from tests.support.harness import ServiceHarness
from tests.support_ticket.clock import MONDAY, TestClock
from tests.support_ticket.shop import Shop


@pytest.fixture(scope="session")
def session_clock() -> TestClock:
    return TestClock()


@pytest.fixture
def clock(session_clock: TestClock) -> TestClock:
    """The service's clock, on an ordinary Monday morning."""
    session_clock.set(MONDAY)
    return session_clock


@pytest.fixture(scope="session")
async def service(database_url: str, redis_url: str, root_key: str, session_clock: TestClock):
    settings = SupportTicketSettings(
        secret_key=root_key,
        admin_database_url=database_url,
        redis_url=redis_url,
        public_url="https://care.example",
        access_log=False,
        _env_file=None,
    )
    app = create_app(settings, clock=session_clock)
    context = app.state.context
    async with app.router.lifespan_context(app):
        yield ServiceHarness(app, context, build_handlers(context))


@pytest.fixture
async def shop(service: ServiceHarness, clock: TestClock) -> Shop:
    """A shop that takes tickets and has no staff yet."""
    return await Shop(service, TenantId(new_id())).open()


@pytest.fixture
async def other_shop(service: ServiceHarness, clock: TestClock) -> Shop:
    return await Shop(service, TenantId(new_id())).open(slug="other")
