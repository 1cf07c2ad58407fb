"""A part of the house that exists in tests only: a schema with nothing but the foundation."""

from functools import partial
from typing import ClassVar

from sqlalchemy import Connection, Table, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from migrations.runner import ensure_schema, with_roles
from shared.db.protection import (
    dead_letter_listings,
    job_listings,
    retention_listings,
    stream_listings,
    tenant_table,
)
from shared.db.tables import part_metadata
from shared.settings import PartSettings


def part_settings(schema: str, *, root_key: str, database_url: str, redis_url: str) -> PartSettings:
    """Settings of a part called `schema`."""

    class Settings(PartSettings):
        part: ClassVar[str] = schema

    return Settings(
        secret_key=root_key,
        admin_database_url=database_url,
        redis_url=redis_url,
        _env_file=None,
    )


async def create_part(database_url: str, schema: str, *extra: Table, root_key: str) -> None:
    """Create the schema, the roles and the tables of a part."""
    engine = create_async_engine(database_url, poolclass=NullPool)
    await with_roles(engine, partial(_create, schema=schema, root_key=root_key))
    await engine.dispose()


def _create(connection: Connection, *, schema: str, root_key: str) -> None:
    ensure_schema(connection, schema, root_key=root_key)
    metadata = part_metadata(schema)
    metadata.create_all(connection)
    owner = f"careloop_{schema}_owner"
    for table in metadata.tables.values():
        connection.execute(text(f"ALTER TABLE {table.fullname} OWNER TO {owner}"))
        for statement in tenant_table(schema, table.name):
            connection.execute(text(statement))
    listings = (
        *stream_listings(schema),
        *job_listings(schema),
        *retention_listings(schema),
        *dead_letter_listings(schema),
    )
    for statement in listings:
        connection.execute(text(statement))
        if "CREATE OR REPLACE FUNCTION" in statement:
            name = statement.split("FUNCTION ")[1].split("(")[0]
            connection.execute(text(f"ALTER FUNCTION {name}() OWNER TO {owner}"))
