"""The messaging service, once per run, with a real SMTP server; a shop of its own per test."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.messaging.app import create_app
from services.messaging.delivery.service import Delivery
from services.messaging.delivery.smtp import SmtpConnections
from services.messaging.handlers import build_handlers
from services.messaging.settings import MessagingSettings
from services.messaging.wiring import Wiring
from services.messaging.worker import build_delivery
from shared.contracts.gateway import EmailChannelChanged, TenantProvisioned, TenantState
from shared.ids import TenantId, new_id
from tests.messaging.world import World
from tests.support.harness import ServiceHarness
from tests.support.outbound import LOOPBACK, LOOPBACK_ALLOWED
from tests.support.smtp import SmtpSink

PUBLIC_URL = "https://care.example.com"


class MovableClock:
    """The machine's clock, moved forward by the test."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def advance(self, **by: float) -> None:
        self.offset += timedelta(**by)


@pytest.fixture(scope="session")
def messaging_settings(database_url: str, redis_url: str, root_key: str) -> MessagingSettings:
    return MessagingSettings(
        secret_key=root_key,
        admin_database_url=database_url,
        redis_url=redis_url,
        public_url=PUBLIC_URL,
        access_log=False,
        outbound_allow=LOOPBACK,
        _env_file=None,
    )


@pytest.fixture(scope="session")
def session_clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def clock(session_clock: MovableClock) -> Iterator[MovableClock]:
    session_clock.offset = timedelta()
    yield session_clock
    session_clock.offset = timedelta()


@pytest.fixture(scope="session")
async def service(messaging_settings: MessagingSettings, session_clock: MovableClock):
    app = create_app(messaging_settings, clock=session_clock)
    context = app.state.context
    async with app.router.lifespan_context(app):
        yield ServiceHarness(app, context, build_handlers(context))


@pytest.fixture(scope="session")
async def delivery(service: ServiceHarness):
    connections = SmtpConnections(LOOPBACK_ALLOWED)
    yield build_delivery(service.context, connections, Wiring.of(service.context))
    await connections.close()


@pytest.fixture(scope="session")
def session_smtp() -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        yield sink


@pytest.fixture
def smtp(session_smtp: SmtpSink) -> SmtpSink:
    """The SMTP server of this run, without what other tests have sent to the same addresses."""
    session_smtp.forget()
    return session_smtp


@pytest.fixture
def open_shop(
    service: ServiceHarness, delivery: Delivery, clock: MovableClock
) -> Callable[..., Awaitable[World]]:
    """Opens a shop, with or without a channel to an SMTP server."""

    async def opened(sink: SmtpSink | None = None, **defaults: str) -> World:
        tenant = TenantId(new_id())
        state = TenantState(**{"name": "Cửa hàng Hoa Mai", "slug": tenant.hex, **defaults})
        events: list[tuple[UUID, TenantProvisioned | EmailChannelChanged]]
        events = [(tenant, TenantProvisioned(tenant=state))]
        if sink is not None:
            channel = sink.channel()
            events.append((channel.connection_id, EmailChannelChanged(channel=channel)))
        await service.receive(tenant, "gateway", events)
        return World(service=service, delivery=delivery, tenant=tenant, clock=clock)

    return opened


@pytest.fixture
async def shop(open_shop, smtp: SmtpSink) -> World:
    """A shop whose e-mail leaves through the SMTP server of this run."""
    return await open_shop(smtp)


@pytest.fixture
async def client(shop: World):
    """A client of the shop who may do everything with messages."""
    async with shop.client() as client:
        yield client
