"""`python -m cli.new_migration SCHEMA "message"`: write the next migration from the models.

Compares a server at the head of the history with the part's tables. In a first migration, and for
every new table, the row-level security calls are appended. Read what was written before use.
"""

import asyncio
import re
import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from cli.embedded.postgres import EmbeddedPostgres
from migrations.environment import owner_role
from migrations.runner import HOME, alembic_config, migrate

_ROOT_KEY = "a scratch server needs no secret of its own"


def main() -> None:
    """Entry point."""
    schema, message = sys.argv[1:3]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        server = EmbeddedPostgres(Path(scratch) / "postgres", durable=False)
        server.start()
        try:
            asyncio.run(_generate(server.url(), schema, message))
        finally:
            server.stop()


async def _generate(url: str, schema: str, message: str) -> None:
    await migrate(url, root_key=_ROOT_KEY, schemas=[schema])
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text(f"SET LOCAL ROLE {owner_role(schema)}"))
        path = await connection.run_sync(_revision, schema, message)
    await engine.dispose()
    _append_protection(path, schema)
    sys.stdout.write(f"{path}\n")


def _revision(connection: Connection, schema: str, message: str) -> Path:
    versions = HOME / schema / "versions"
    number = f"{len(list(versions.glob('*.py'))) + 1:04d}"
    script = command.revision(
        alembic_config(schema, connection), message=message, autogenerate=True, rev_id=number
    )
    assert script is not None  # noqa: S101
    assert not isinstance(script, list)  # noqa: S101
    return Path(script.path)


def _append_protection(path: Path, schema: str) -> None:
    source = path.read_text()
    tables = re.findall(r"op\.create_table\(\s*['\"](\w+)['\"]", source)
    if not tables:
        return
    names = ", ".join(f'"{table}"' for table in tables)
    calls = f'    protect("{schema}", {names})\n'
    imports = "from migrations.environment import protect\n"
    if "outbox" in tables:
        calls += f'    add_stream_listings("{schema}")\n'
        imports = "from migrations.environment import add_stream_listings, protect\n"
    source = source.replace("\n\nrevision =", f"\n\n{imports}\nrevision =", 1)
    path.write_text(source.replace("\n\n\ndef downgrade", f"\n{calls}\n\ndef downgrade", 1))


if __name__ == "__main__":
    main()
