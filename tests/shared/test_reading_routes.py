"""GET routes only read: a write is refused by the server, and is a mistake of ours."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from shared.ids import TenantId
from shared.part.app import create_part_app
from shared.part.context import build_context
from shared.stream.handlers import EventHandlers
from shared.web.routing import UnitOfWorkDep, requires, service_router
from tests.shared.test_unit_of_work import ADD, COUNTERS
from tests.support.harness import ServiceHarness
from tests.support.parts import part_settings

router = service_router(prefix="/v1/things", tag="things")


@router.get("/written", operation_id="things.written", dependencies=[requires("things:read")])
async def written(uow: UnitOfWorkDep) -> dict[str, int]:
    """Write, which no GET may."""
    await uow.execute(ADD, {"tenant": uow.tenant_id, "kind": "by a GET"})
    return {}


@router.get("/read", operation_id="things.read", dependencies=[requires("things:read")])
async def read(uow: UnitOfWorkDep) -> dict[str, str]:
    """Read."""
    return {"read_only": str(await uow.scalar(text("SHOW transaction_read_only")))}


@pytest.fixture
async def part(
    source: Any, database_url: str, redis_url: str, root_key: str
) -> AsyncIterator[ServiceHarness]:
    context: Any = build_context(
        part_settings("source", root_key=root_key, database_url=database_url, redis_url=redis_url)
    )
    app = create_part_app(context, title="Source", description="For tests", routers=[router])
    yield ServiceHarness(app, context, EventHandlers())
    await context.close()


async def test_a_get_reads_in_a_transaction_that_only_reads(part: ServiceHarness, tenant: TenantId):
    async with part.client(tenant, "things:read") as client:
        assert (await client.get("/v1/things/read")).json() == {"read_only": "on"}


async def test_a_get_that_writes_is_a_mistake_and_no_outage(
    part: ServiceHarness, source: Any, tenant: TenantId
):
    async with part.client(tenant, "things:read") as client:
        answer = await client.get("/v1/things/written")
        assert (answer.status_code, answer.headers.get("Retry-After")) == (500, None)
        assert (await client.get("/v1/things/read")).status_code == 200
    async with source.units.begin(tenant) as uow:
        assert await uow.rows(COUNTERS, {"tenant": tenant}) == []
