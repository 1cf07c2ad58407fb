"""Where sealed values are kept, as the models tell it."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Literal

from sqlalchemy import Column, LargeBinary, MetaData, Table
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.tables import SEALED
from shared.settings import SCHEMAS

Kind = Literal["text", "json", "bytes"]


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column whose values are sealed, or hold something that is."""

    schema: str
    table: str
    key: tuple[str, ...]
    name: str
    kind: Kind

    @property
    def full_name(self) -> str:
        """Schema, table and column."""
        return f"{self.schema}.{self.table}.{self.name}"


def sealed_columns() -> list[SealedColumn]:
    """All of them, in every part: named `sealed…`, or marked with `info=SEALED`."""
    return [found for schema in SCHEMAS for found in _of(schema)]


def _of(schema: str) -> Iterator[SealedColumn]:
    package = schema if schema == "gateway" else f"services.{schema}"
    metadata: MetaData = import_module(f"{package}.schema").metadata
    for table in metadata.sorted_tables:
        for column in table.columns:
            if column.name.startswith("sealed") or column.info == SEALED:
                yield SealedColumn(schema, table.name, _key(table), column.name, _kind(column))


def _key(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.primary_key.columns)


def _kind(column: "Column[object]") -> Kind:
    if isinstance(column.type, JSONB):
        return "json"
    return "bytes" if isinstance(column.type, LargeBinary) else "text"
