from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from services.segmentation.app import create_app
from services.segmentation.facts import models  # noqa: F401  (defines the tables)
from services.segmentation.handlers import build_handlers
from services.segmentation.models import metadata
from services.segmentation.settings import SegmentationSettings
from shared.ids import TenantId, new_id
from tests.segmentation.facts import FactsDatabase
from tests.segmentation.shop import ManualClock, Shop
from tests.support.harness import ServiceHarness


@pytest.fixture(scope="session")
async def facts_engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """The administrator's engine on a database that has the facts tables."""
    engine = create_async_engine(database_url)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE SCHEMA IF NOT EXISTS segmentation"))
        await connection.run_sync(metadata.create_all)
    yield engine
    await engine.dispose()


@pytest.fixture(scope="session")
async def facts_connection(facts_engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection in a transaction that is never committed."""
    async with facts_engine.connect() as connection:
        yield connection
        await connection.rollback()


@pytest.fixture(scope="session")
def facts_database(facts_connection: AsyncConnection) -> FactsDatabase:
    """Writes facts and asks rules, each time in a tenant of its own."""
    return FactsDatabase(facts_connection)


@pytest.fixture(scope="session")
def session_clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def clock(session_clock: ManualClock) -> ManualClock:
    """The time of the service, which stands still unless the test moves it."""
    session_clock.reset()
    return session_clock


@pytest.fixture(scope="session")
async def service(
    database_url: str, redis_url: str, root_key: str, session_clock: ManualClock
) -> AsyncIterator[ServiceHarness]:
    """The service, once per run."""
    settings = SegmentationSettings(
        secret_key=root_key,
        admin_database_url=database_url,
        redis_url=redis_url,
        access_log=False,
        step_size=50,
        _env_file=None,
    )
    app = create_app(settings, clock=session_clock)
    context, wiring = app.state.context, app.state.wiring
    async with app.router.lifespan_context(app):
        yield ServiceHarness(app, context, build_handlers(context, wiring))


@pytest.fixture
def open_shop(service: ServiceHarness, clock: ManualClock) -> Callable[..., Awaitable[Shop]]:
    """Opens a shop that this service has been told of."""

    async def opened(**settings: str) -> Shop:
        shop = Shop(service, clock, TenantId(new_id()))
        await shop.provision(**settings)
        return shop

    return opened


@pytest.fixture
async def shop(open_shop: Callable[..., Awaitable[Shop]]) -> Shop:
    return await open_shop()
