"""What other tests of the same process have left to be done.

Tests mostly call handlers themselves and leave events untold, so a database gathers thousands. A
real worker finds them all and does them first, which takes longer than any test waits.
"""

from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from shared.settings import SCHEMAS, PartSettings

_WAITING = ("outbox", "subscription")


async def forget_leftovers(settings: PartSettings) -> None:
    """Empty the queue, as after `FLUSHALL`, and forget what is still to be told or to be done."""
    async with Redis.from_url(settings.redis_url) as redis:
        await redis.flushdb()
    engine = create_async_engine(settings.admin_database_url, poolclass=NullPool)
    async with engine.begin() as connection:
        tables = ", ".join(f"{schema}.{table}" for schema in SCHEMAS for table in _WAITING)
        await connection.execute(text(f"TRUNCATE {tables}"))
        for schema in SCHEMAS:
            ended = f"UPDATE {schema}.job SET parked = true WHERE finished_at IS NULL"
            await connection.execute(text(ended))
    await engine.dispose()
