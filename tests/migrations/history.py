"""A schema's history, run step by step on a database of its own, every statement written down."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from unittest.mock import patch

from alembic.script import ScriptDirectory
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from migrations.runner import alembic_config, ensure_schema, history, to_revision, with_roles

# What Alembic and the run itself say, which is not the migration's doing.
_NOT_OURS = re.compile(
    r"\s*(SELECT|SET|RESET|SHOW|BEGIN|COMMIT)\b|.*\balembic_version\b", re.IGNORECASE
)


class History:
    """One schema on a database; `statements` are what the last step has executed."""

    def __init__(self, engine: AsyncEngine, schema: str) -> None:
        self.engine = engine
        self.schema = schema
        self.revisions = history(schema)
        self.statements: list[str] = []
        event.listen(engine.sync_engine, "before_cursor_execute", self._write_down)

    async def go_to(self, revision: str) -> list[str]:
        """Migrate, up or down; the statements that it took."""
        self.statements = []
        await to_revision(self.engine, self.schema, revision)
        return self.statements

    def _write_down(self, _connection, _cursor, statement: str, *_rest) -> None:
        if not _NOT_OURS.match(statement):
            self.statements.append(statement.strip())


@asynccontextmanager
async def empty_history(database_url: str, schema: str, *, root_key: str) -> AsyncIterator[History]:
    """The history of a schema before its first revision."""
    engine = create_async_engine(database_url, poolclass=NullPool)
    script = ScriptDirectory.from_config(alembic_config(schema))
    try:
        async with engine.begin() as connection:
            for extension in ("pg_trgm", "btree_gin"):
                create = f"CREATE EXTENSION IF NOT EXISTS {extension} WITH SCHEMA public"
                await connection.execute(text(create))
        await with_roles(engine, partial(ensure_schema, schema=schema, root_key=root_key))
        # Alembic would read all files again with every step.
        with patch.object(ScriptDirectory, "from_config", lambda _config: script):
            yield History(engine, schema)
    finally:
        await engine.dispose()
