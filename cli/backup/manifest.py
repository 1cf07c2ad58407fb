"""What a backup says of itself. Everything about it that a restore relies on stands here."""

from dataclasses import asdict, dataclass
from typing import Any, Self
from uuid import UUID

import orjson

from cli.backup.errors import BackupUnusable

FORMAT = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class TableEntry:
    """One table's rows: a CSV file with a header line, as PostgreSQL's COPY writes and reads it."""

    name: str
    columns: tuple[str, ...]
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SchemaEntry:
    """One part: where its history stood, and its tables, parents before children."""

    revision: str
    tables: tuple[TableEntry, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole installation, or one shop of it when `tenant_id` is set.

    `keys` tell which CARELOOP_SECRET_KEYs sealed the secrets in it, without telling the keys.
    """

    version: str
    created_at: str
    keys: tuple[str, ...]
    tenant_id: UUID | None
    slug: str | None
    schemas: dict[str, SchemaEntry]
    format: int = FORMAT

    @property
    def size(self) -> int:
        """Bytes of rows, uncompressed."""
        return sum(table.size for part in self.schemas.values() for table in part.tables)

    @property
    def rows(self) -> int:
        """How many rows."""
        return sum(table.rows for part in self.schemas.values() for table in part.tables)

    @property
    def table_count(self) -> int:
        """How many tables."""
        return sum(len(part.tables) for part in self.schemas.values())

    def dump(self) -> bytes:
        """As JSON."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2)

    @classmethod
    def load(cls, raw: bytes) -> Self:
        """From JSON. Raises BackupUnusable."""
        try:
            given: dict[str, Any] = orjson.loads(raw)
            if given["format"] != FORMAT:
                raise BackupUnusable(
                    f"The backup has format {given['format']}, and this release reads {FORMAT}. "
                    "Restore it with the release that made it."
                )
            schemas = {name: _schema(entry) for name, entry in given.pop("schemas").items()}
            tenant = given.pop("tenant_id")
            return cls(**given, schemas=schemas, tenant_id=UUID(tenant) if tenant else None)
        except (KeyError, TypeError, ValueError) as error:
            raise BackupUnusable(f"The backup's manifest cannot be read: {error}") from error


def member_name(schema: str, table: str) -> str:
    """The name of a table's file in the archive."""
    return f"{schema}/{table}.csv"


def _schema(given: dict[str, Any]) -> SchemaEntry:
    tables = [
        TableEntry(**{**table, "columns": tuple(table["columns"])}) for table in given["tables"]
    ]
    return SchemaEntry(given["revision"], tuple(tables))
