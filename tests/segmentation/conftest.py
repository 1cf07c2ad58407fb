from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from services.segmentation.facts import models  # noqa: F401  (defines the tables)
from services.segmentation.models import metadata
from tests.segmentation.facts import FactsDatabase


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
