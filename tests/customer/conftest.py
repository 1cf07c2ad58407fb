"""The customer service, once per run; a shop of its own per test."""

from collections.abc import Awaitable, Callable

import pytest

from services.customer.app import create_app
from services.customer.handlers import build_handlers
from services.customer.settings import CustomerSettings
from shared.contracts.gateway import TenantProvisioned, TenantState
from shared.ids import TenantId, new_id
from tests.support.harness import ServiceHarness


@pytest.fixture(scope="session")
async def service(database_url: str, redis_url: str, root_key: str):
    settings = CustomerSettings(
        secret_key=root_key,
        admin_database_url=database_url,
        redis_url=redis_url,
        access_log=False,
        _env_file=None,
    )
    app = create_app(settings)
    context = app.state.context
    async with app.router.lifespan_context(app):
        yield ServiceHarness(app, context, build_handlers(context))


@pytest.fixture
def open_shop(service: ServiceHarness) -> Callable[..., Awaitable[TenantId]]:
    """Opens a shop and tells its tenant."""

    async def opened(**defaults: str) -> TenantId:
        tenant = TenantId(new_id())
        state = TenantState(**{"name": "Cửa hàng Hoa Mai", "slug": tenant.hex, **defaults})
        await service.receive(tenant, "gateway", [(tenant, TenantProvisioned(tenant=state))])
        return tenant

    return opened


@pytest.fixture
async def shop(open_shop) -> TenantId:
    return await open_shop()


@pytest.fixture
async def client(service: ServiceHarness, shop: TenantId):
    """A client of the shop who may do everything with customers."""
    resources = (
        *("customers", "orders", "tasks", "duplicates", "reports"),
        *("leads", "lead_forms", "lead_submissions", "touches"),
        *("interactions", "appointments", "assignment_rules", "loyalty", "privacy"),
        *("custom_fields", "settings"),
    )
    scopes = [f"{resource}:{verb}" for resource in resources for verb in ("read", "write")]
    async with service.client(shop, *scopes) as client:
        yield client
