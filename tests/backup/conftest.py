"""An installation full of rows, and empty databases to bring it back into."""

import os
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from cli.backup.loading import load
from cli.backup.manifest import Manifest
from cli.backup.saving import save
from cli.backup.telling import Silence
from shared.ids import new_id
from shared.settings import SCHEMAS
from tests.migrations.rows import Filler, digests
from tests.support.servers import create_database

SLUG = "hoa-mai"
NIL = UUID(int=0)


@dataclass
class Place:
    """An installation's databases, and what is in them."""

    urls: dict[str, str]
    root_key: str

    async def save(self, path: Path, slug: str | None = None) -> Manifest:
        return await save(
            path, urls=self.urls, root_key=self.root_key, slug=slug, telling=Silence()
        )

    async def load(self, path: Path, **options) -> Manifest:
        key = options.pop("root_key", self.root_key)
        return await load(path, urls=self.urls, root_key=key, telling=Silence(), **options)

    def engine(self, schema: str) -> AsyncEngine:
        return create_async_engine(self.urls[schema], poolclass=NullPool)

    async def execute(self, part: str, statement: str, **parameters) -> None:
        engine = self.engine(part)
        async with engine.begin() as connection:
            await connection.execute(text(statement), parameters)
        await engine.dispose()

    async def rows(self, part: str, statement: str, **parameters) -> list:
        engine = self.engine(part)
        async with engine.connect() as connection:
            found = (await connection.execute(text(statement), parameters)).all()
        await engine.dispose()
        return list(found)

    async def tables(self, schema: str) -> dict[str, list[str]]:
        columns = await self.rows(
            schema,
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = :schema AND table_name <> 'alembic_version' "
            "ORDER BY table_name, ordinal_position",
            schema=schema,
        )
        found: dict[str, list[str]] = {}
        for table, column in columns:
            found.setdefault(table, []).append(column)
        return found

    async def digests(self, schemas: Iterable[str] = SCHEMAS) -> dict[str, dict[str, str]]:
        """Of every column of every row of every table."""
        found = {}
        for schema in schemas:
            engine = self.engine(schema)
            found[schema] = await digests(engine, schema, await self.tables(schema))
            await engine.dispose()
        return found

    async def fill(self, *, seed: int = 1) -> UUID:
        """Rows in every table; one of the shops can be found by SLUG."""
        for schema in SCHEMAS:
            engine = self.engine(schema)
            await Filler(schema, seed=seed).fill(engine, tenants=2)
            await engine.dispose()
        [(tenant,)] = await self.rows("gateway", "SELECT tenant_id FROM gateway.tenant LIMIT 1")
        await self.enter(tenant, SLUG)
        return tenant

    async def enter(self, tenant: UUID, slug: str) -> None:
        """Put a shop into the directory."""
        await self.execute(
            "gateway",
            "INSERT INTO gateway.directory (tenant_id, kind, lookup, points_to, created_at) "
            "VALUES (:nil, 'shop', :slug, :tenant, now())",
            nil=NIL,
            slug=slug,
            tenant=tenant,
        )


MakePlace = Callable[..., Awaitable[Place]]


@pytest.fixture(scope="session")
def make_place(worker_number: int, root_key: str) -> MakePlace:
    """Makes installations: on one database or on several, migrated or not even that."""

    async def make(*, migrated: bool = True, apart: Iterable[str] = ()) -> Place:
        server = os.environ["CARELOOP_TEST_POSTGRES"]
        template = {} if migrated else {"template": "template0"}

        async def database() -> str:
            return await create_database(server, f"b{worker_number}_{new_id().hex}", **template)

        common = await database()
        urls = dict.fromkeys(SCHEMAS, common)
        for schema in apart:
            urls[schema] = await database()
        return Place(urls, root_key)

    return make
