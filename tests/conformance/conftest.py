"""The services on the server under test: the run's own, or the one that `make test-citus` names."""

import os
from collections.abc import AsyncIterator

import pytest

from services.customer.app import create_app as create_customer
from services.customer.handlers import build_handlers as build_customer_handlers
from services.customer.settings import CustomerSettings
from services.segmentation.app import create_app as create_segmentation
from services.segmentation.handlers import build_handlers as build_segmentation_handlers
from services.segmentation.settings import SegmentationSettings
from tests.segmentation.shop import ManualClock
from tests.support.harness import ServiceHarness
from tests.support.servers import create_database

SERVER = "CARELOOP_CONFORMANCE_URL"


@pytest.fixture(scope="session")
async def database_url(worker_number: int) -> str:
    """A server that is migrated, and spread over nodes if it is a cluster."""
    given = os.environ.get(SERVER)
    if given:
        return given
    return await create_database(
        os.environ["CARELOOP_TEST_POSTGRES"], f"conformance_{worker_number}"
    )


@pytest.fixture(scope="session")
async def customers(
    database_url: str, redis_url: str, root_key: str
) -> AsyncIterator[ServiceHarness]:
    settings = CustomerSettings(
        secret_key=root_key,
        admin_database_url=database_url,
        redis_url=redis_url,
        access_log=False,
        _env_file=None,
    )
    app = create_customer(settings)
    async with app.router.lifespan_context(app):
        yield ServiceHarness(app, app.state.context, build_customer_handlers(app.state.context))


@pytest.fixture(scope="session")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="session")
async def segments(
    database_url: str, redis_url: str, root_key: str, clock: ManualClock
) -> AsyncIterator[ServiceHarness]:
    settings = SegmentationSettings(
        secret_key=root_key,
        admin_database_url=database_url,
        redis_url=redis_url,
        access_log=False,
        step_size=20,
        _env_file=None,
    )
    app = create_segmentation(settings, clock=clock)
    context, wiring = app.state.context, app.state.wiring
    async with app.router.lifespan_context(app):
        yield ServiceHarness(app, context, build_segmentation_handlers(context, wiring))
