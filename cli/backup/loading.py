"""Bringing a backup back: all of it or nothing."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from cli.backup.archive import ArchiveReader
from cli.backup.catalogue import TableShape, has_rows, is_there, revision_of, tables_of
from cli.backup.databases import Database, databases
from cli.backup.errors import BackupUnusable, TargetNotFit
from cli.backup.manifest import Manifest, SchemaEntry, TableEntry
from cli.backup.telling import Telling
from migrations.runner import history, migrate, to_revision
from shared.security.keys import RootKey, key_fingerprint, root_secrets


async def load(
    path: Path,
    *,
    urls: Mapping[str, str],
    root_key: RootKey,
    telling: Telling,
    whatever_key: bool = False,
) -> Manifest:
    """Restore the backup at `path`: a whole installation into an empty one, a shop beside others.

    A backup of an older release is loaded at that release's revisions and then migrated.
    Raises OperatorError, and then nothing was changed but for schemas made ready and empty.
    """
    with ArchiveReader(path) as archive:
        manifest = archive.manifest
        _check_key(manifest, root_key, whatever_key=whatever_key)
        _check_revisions(manifest)
        telling.begin("Checking", tables=manifest.table_count, size=manifest.size)
        archive.verify(telling.advance)
        async with databases(urls) as found:
            if manifest.tenant_id is None:
                await _make_ready(found, manifest, root_key)
            await _check_room(found, manifest)
            telling.begin("Restoring", tables=manifest.table_count, size=manifest.size)
            async with _all_or_nothing(found):
                for database in found:
                    for schema in database.schemas:
                        await _load_schema(archive, database, schema, telling)
            for database in found:
                for schema in database.schemas:
                    for table in manifest.schemas[schema].tables:
                        await database.connection.execute(f"ANALYZE {schema}.{table.name}")
    if manifest.tenant_id is None:
        await _catch_up(found, root_key)
    return manifest


def _check_key(manifest: Manifest, root_key: RootKey, *, whatever_key: bool) -> None:
    known = {key_fingerprint(secret) for secret in root_secrets(root_key)}
    if not whatever_key and not known.issuperset(manifest.keys):
        raise TargetNotFit(
            "The backup was made with another CARELOOP_SECRET_KEY: the secrets in it could not be "
            "opened here. Put that key into CARELOOP_SECRET_KEYS_OLD, restore, and run careloop "
            "secrets rotate. If it is lost, restore with --whatever-key and enter them again."
        )


def _check_revisions(manifest: Manifest) -> None:
    for schema, part in manifest.schemas.items():
        if part.revision not in history(schema):
            raise BackupUnusable(
                f"The backup is of release {manifest.version}, which is newer than this one "
                f"({schema} is at {part.revision}). Restore it with that release."
            )


async def _make_ready(found: Sequence[Database], manifest: Manifest, root_key: RootKey) -> None:
    """Empty schemas at the revisions of the backup. Raises TargetNotFit when one has rows."""
    for database in found:
        for schema in database.schemas:
            await _refuse_rows(database.connection, schema)
    for database in found:
        await migrate(database.url, root_key=root_key, schemas=database.schemas, contract=True)
        engine = create_async_engine(database.url, poolclass=NullPool)
        try:
            for schema in database.schemas:
                await to_revision(engine, schema, manifest.schemas[schema].revision)
        finally:
            await engine.dispose()


async def _refuse_rows(connection: asyncpg.Connection, schema: str) -> None:
    if not await is_there(connection, schema):
        return
    for shape in await tables_of(connection, schema):
        if await has_rows(connection, shape, "true"):
            raise TargetNotFit(
                f"{shape.full_name} has rows: a whole installation is restored into an empty "
                "database only. Create one, and point DATABASE_URL to it."
            )


async def _check_room(found: Sequence[Database], manifest: Manifest) -> None:
    """The schemas are as the backup's were, and a shop is not there yet. Raises TargetNotFit."""
    for database in found:
        for schema in database.schemas:
            part = manifest.schemas[schema]
            stands = await revision_of(database.connection, schema)
            if stands != part.revision:
                raise TargetNotFit(
                    f"The backup's {schema} is at revision {part.revision}, this one's at "
                    f"{stands}. Restore the shop where the release runs that it was saved from."
                )
            shapes = await tables_of(database.connection, schema)
            _check_columns(part, shapes)
            for shape in shapes if manifest.tenant_id is not None else ():
                if await has_rows(database.connection, shape, shape.of_tenant(manifest.tenant_id)):
                    raise TargetNotFit(
                        f"The shop {manifest.slug!r} ({manifest.tenant_id}) is here already: "
                        f"{shape.full_name} has rows of it."
                    )


def _check_columns(part: SchemaEntry, shapes: Sequence[TableShape]) -> None:
    here = {shape.name: set(shape.columns) for shape in shapes}
    for table in part.tables:
        if here.get(table.name) != set(table.columns):
            raise TargetNotFit(f"The table {table.name} of the backup has other columns than here.")


@asynccontextmanager
async def _all_or_nothing(found: Sequence[Database]) -> AsyncIterator[None]:
    """One transaction in each database; none is committed before all have everything."""
    async with AsyncExitStack() as stack:
        for database in found:
            await stack.enter_async_context(database.connection.transaction())
        try:
            yield
        except asyncpg.UniqueViolationError as error:
            raise TargetNotFit(
                f"Something of this shop belongs to another one here: {error.detail}"
            ) from error
        except asyncpg.PostgresError as error:
            raise TargetNotFit(f"The database refused the rows: {error}") from error


async def _load_schema(
    archive: ArchiveReader, database: Database, schema: str, telling: Telling
) -> None:
    for table in archive.manifest.schemas[schema].tables:
        telling.table(f"{schema}.{table.name}")
        await _load_table(archive, database.connection, schema, table, telling)


async def _load_table(
    archive: ArchiveReader,
    connection: asyncpg.Connection,
    schema: str,
    table: TableEntry,
    telling: Telling,
) -> None:
    status = await connection.copy_to_table(
        table.name,
        schema_name=schema,
        columns=table.columns,
        source=archive.rows(schema, table, telling.advance),
        format="csv",
        header=True,
    )
    rows = int(status.rpartition(" ")[2])
    if rows != table.rows:
        raise BackupUnusable(f"{schema}.{table.name} took {rows} of {table.rows} rows.")


async def _catch_up(found: Sequence[Database], root_key: RootKey) -> None:
    """From the backup's revisions to this release's; nobody runs an older one here."""
    for database in found:
        await migrate(database.url, root_key=root_key, schemas=database.schemas, contract=True)
