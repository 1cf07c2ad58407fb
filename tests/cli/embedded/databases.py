"""One statement over the same driver as the application's."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool


async def execute(url: str, statement: str) -> None:
    """Run and commit one statement."""
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


async def scalar(url: str, query: str) -> Any:
    """The first value of the first row."""
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        value = await connection.scalar(text(query))
    await engine.dispose()
    return value
