"""The real PostgreSQL and the real Valkey that a test run uses, started once per run."""

import asyncio
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from cli.embedded.postgres import EmbeddedPostgres
from cli.embedded.valkey import EmbeddedValkey
from migrations.runner import HOME, migrate
from shared.settings import SCHEMAS

ROOT_KEY = "test-root-key-0123456789-0123456789-0123456789"
TEMPLATE = "careloop_template"


@dataclass(frozen=True, slots=True)
class Servers:
    """Both servers of a run, and the folder they live in."""

    folder: Path
    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey

    @classmethod
    def start(cls) -> "Servers":
        """Start both and migrate the template database."""
        folder = Path(tempfile.mkdtemp(prefix="careloop-tests-"))
        folder.chmod(0o755)
        servers = cls(
            folder,
            # Two processes of tests, each with the pools of several installations.
            EmbeddedPostgres(
                folder / "postgres", durable=False, settings={"max_connections": "600"}
            ),
            EmbeddedValkey(folder / "valkey", persistent=False),
        )
        try:
            servers.postgres.start()
            servers.valkey.start()
            asyncio.run(_make_template(servers.postgres.url()))
        except BaseException:
            servers.stop()
            raise
        return servers

    def stop(self) -> None:
        """Stop both and remove everything."""
        self.valkey.stop()
        self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


async def _make_template(url: str) -> None:
    await execute(url, f"CREATE DATABASE {TEMPLATE}")
    written = [s for s in SCHEMAS if any((HOME / s / "versions").glob("*.py"))]
    await migrate(database_url(url, TEMPLATE), root_key=ROOT_KEY, schemas=written)


async def own_database(name: str) -> str:
    """A database without the thousands of shops of other tests, whose events nobody carries."""
    return await create_database(os.environ["CARELOOP_TEST_POSTGRES"], name)


async def create_database(admin_url: str, name: str, *, template: str = TEMPLATE) -> str:
    """A fresh copy of the migrated template, or of another; its administrator's URL."""
    await execute(admin_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await execute(admin_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    return database_url(admin_url, name)


def database_url(url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


async def execute(url: str, statement: str) -> None:
    """Run one statement outside any transaction."""
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()
