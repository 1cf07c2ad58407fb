"""A server that drops connections, as one that is restarted does."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

# Of this database only: other tests have theirs on the same server, with roles of the same names.
_DROP = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE usename = ANY(:roles) AND datname = current_database()"
)


async def drop_connections(database_url: str, *roles: str) -> None:
    """End every connection of these roles to a database, by one that is not among them."""
    engine = create_async_engine(database_url, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(_DROP, {"roles": list(roles)})
    await engine.dispose()
