"""A shop that takes in files, and whoever does its jobs."""

from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from services.customer.jobs import build_job_kinds
from shared.ids import TenantId
from shared.jobs.runner import JobRunner
from tests.customer.imports.shop import Importing
from tests.support.harness import ServiceHarness

SCOPES = tuple(
    f"{resource}:{verb}"
    for resource in (
        *("imports", "customers", "jobs", "duplicates", "interactions", "orders"),
        *("custom_fields", "privacy", "settings"),
    )
    for verb in ("read", "write")
)


@pytest.fixture
async def client(service: ServiceHarness, shop: TenantId):
    async with service.client(shop, *SCOPES) as client:
        yield client


@pytest.fixture
def new_runner(service: ServiceHarness) -> Callable[..., JobRunner]:
    """Workers; each takes in a few rows at a time."""

    async def nobody(_tenant: TenantId) -> None:
        """A wake-up that reaches nobody."""

    def made(chunk: int = 4) -> JobRunner:
        context = service.context
        settings = context.settings.model_copy(update={"import_chunk": chunk})
        kinds = build_job_kinds(replace(context, settings=settings))
        return JobRunner(units=context.units, kinds=kinds, wake=nobody)

    return made


@pytest.fixture
def runner(new_runner: Callable[..., JobRunner]) -> JobRunner:
    return new_runner()


@pytest.fixture
def importing(client: httpx.AsyncClient, runner: JobRunner, shop: TenantId) -> Importing:
    return Importing(client, runner, shop)
