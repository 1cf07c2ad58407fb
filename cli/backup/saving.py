"""Making a backup: every table of one moment, streamed into the archive."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from uuid import UUID

from cli.backup.archive import ArchiveWriter
from cli.backup.catalogue import TableShape, find_shop, revision_of, tables_of
from cli.backup.databases import Database, databases, one_moment
from cli.backup.errors import TargetNotFit
from cli.backup.manifest import Manifest, SchemaEntry, TableEntry
from cli.backup.telling import Telling
from shared.security.keys import RootKey, key_fingerprint, root_secrets


@dataclass(frozen=True, slots=True)
class Scope:
    """What is saved: everything, or one shop."""

    tenant_id: UUID | None = None
    slug: str | None = None


async def save(
    path: Path,
    *,
    urls: Mapping[str, str],
    root_key: RootKey,
    slug: str | None = None,
    telling: Telling,
) -> Manifest:
    """Write a backup of the installation, or of the shop with `slug`, to `path`.

    The installation goes on meanwhile. Raises OperatorError; then there is no file.
    """
    async with databases(urls) as found, one_moment(found):
        scope = await _scope(found, slug)
        shapes = {
            schema: await _shapes(database, schema)
            for database in found
            for schema in database.schemas
        }
        telling.begin("Saving", tables=sum(map(len, shapes.values())))
        with ArchiveWriter(path, advance=telling.advance) as archive:
            schemas = {
                schema: await _save_schema(archive, database, shapes[schema], scope, telling)
                for database in found
                for schema in database.schemas
            }
            manifest = Manifest(
                version=release(),
                created_at=datetime.now(UTC).isoformat(timespec="seconds"),
                keys=tuple(map(key_fingerprint, root_secrets(root_key))),
                tenant_id=scope.tenant_id,
                slug=scope.slug,
                schemas=schemas,
            )
            archive.finish(manifest)
    return manifest


def release() -> str:
    """The version of this code."""
    try:
        return version("careloop")
    except PackageNotFoundError:
        return "unknown"


async def _scope(found: list[Database], slug: str | None) -> Scope:
    if slug is None:
        return Scope()
    [gateway] = [database for database in found if "gateway" in database.schemas]
    return Scope(await find_shop(gateway.connection, slug), slug)


async def _shapes(database: Database, schema: str) -> list[TableShape]:
    if await revision_of(database.connection, schema) is None:
        raise TargetNotFit(f"There is no schema {schema}; careloop migrate makes it.")
    return await tables_of(database.connection, schema)


async def _save_schema(
    archive: ArchiveWriter,
    database: Database,
    shapes: list[TableShape],
    scope: Scope,
    telling: Telling,
) -> SchemaEntry:
    tables = [await _save_table(archive, database, shape, scope, telling) for shape in shapes]
    revision = await revision_of(database.connection, shapes[0].schema)
    return SchemaEntry(revision or "", tuple(tables))


async def _save_table(
    archive: ArchiveWriter, database: Database, shape: TableShape, scope: Scope, telling: Telling
) -> TableEntry:
    telling.table(shape.full_name)
    columns = ", ".join(f'"{name}"' for name in shape.columns)
    query = f"SELECT {columns} FROM {shape.full_name} WHERE {shape.of_tenant(scope.tenant_id)}"
    with archive.member(shape.schema, shape.name) as member:
        status = await database.connection.copy_from_query(
            query, output=member, format="csv", header=True
        )
    rows = int(status.rpartition(" ")[2])
    return TableEntry(shape.name, shape.columns, rows, member.size, member.sha256)
