from typing import Any

import pytest

from shared.part.context import PartContext, build_context
from shared.settings import PartSettings
from tests.support.parts import create_part, part_settings


@pytest.fixture(scope="session")
async def source(database_url: str, redis_url: str, root_key: str):
    """A part that tells events."""
    context = await _part("source", database_url, redis_url, root_key)
    yield context
    await context.close()


@pytest.fixture
async def narrow(source: PartContext[Any], database_url: str, redis_url: str, root_key: str):
    """The same part with a pool of two connections, one of them above its size."""
    settings = part_settings(
        "source", root_key=root_key, database_url=database_url, redis_url=redis_url
    )
    context = build_context(settings.model_copy(update={"pool_size": 1}))
    yield context
    await context.close()


@pytest.fixture(scope="session")
async def sink(database_url: str, redis_url: str, root_key: str):
    """A part that listens."""
    context = await _part("sink", database_url, redis_url, root_key)
    yield context
    await context.close()


async def _part(schema: str, database_url: str, redis_url: str, root_key: str) -> PartContext[Any]:
    await create_part(database_url, schema, root_key=root_key)
    settings: PartSettings = part_settings(
        schema, root_key=root_key, database_url=database_url, redis_url=redis_url
    )
    return build_context(settings)
