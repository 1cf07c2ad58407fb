"""Sealing everything anew with the root secret in use, while the installation goes on.

Row by row, each only if nobody has changed it meanwhile; so it may be broken off, run again, and
run beside everything else.
"""

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from cli.backup.databases import Database, databases
from cli.backup.telling import Telling
from cli.secrets.columns import SealedColumn, sealed_columns
from shared.security.keys import RootKey, SecretBox

_BATCH = 500
# How every sealed value begins (Fernet's version byte and the time), in whatever it is kept.
_TOKEN = re.compile(r"gAAAA[A-Za-z0-9_-]{40,}={0,2}")


@dataclass(slots=True)
class Outcome:
    """What became of one column's values."""

    column: SealedColumn
    current: int = 0
    renewed: int = 0
    unreadable: int = 0


async def rotate(
    *, urls: Mapping[str, str], root_key: RootKey, telling: Telling, dry_run: bool = False
) -> list[Outcome]:
    """Seal what an older key has sealed with the one in use; what was found, by column.

    With `dry_run` nothing is written, and `renewed` is what would be. Raises OperatorError.
    """
    box, columns = SecretBox(root_key), sealed_columns()
    outcomes: list[Outcome] = []
    telling.begin("Sealing", tables=len(columns))
    async with databases(urls) as found:
        for column in columns:
            [database] = [one for one in found if column.schema in one.schemas]
            telling.table(column.full_name)
            outcome = Outcome(column)
            async for rows in _batches(database.connection, column):
                await _renew(database, box, outcome, rows, dry_run=dry_run)
                telling.advance(len(rows))
            outcomes.append(outcome)
    return outcomes


async def _renew(
    database: Database,
    box: SecretBox,
    outcome: Outcome,
    rows: Sequence[asyncpg.Record],
    *,
    dry_run: bool,
) -> None:
    column, changed = outcome.column, []
    for row in rows:
        text = _as_text(row["value"])
        renewed = _TOKEN.sub(lambda match: _renewed(box, outcome, match[0]), text)
        if renewed != text:
            changed.append([*(row[name] for name in column.key), text, renewed])
    if changed and not dry_run:
        await database.connection.executemany(_update(column), list(map(_bound(column), changed)))


def _renewed(box: SecretBox, outcome: Outcome, sealed: str) -> str:
    if box.is_current(sealed):
        outcome.current += 1
        return sealed
    try:
        renewed = box.renew(sealed)
    except ValueError:
        outcome.unreadable += 1
        return sealed
    outcome.renewed += 1
    return renewed


async def _batches(
    connection: asyncpg.Connection, column: SealedColumn
) -> AsyncIterator[list[asyncpg.Record]]:
    """The rows with something sealed in the column, by primary key."""
    key, table = ", ".join(column.key), f"{column.schema}.{column.table}"
    value = f"{column.name}::text" if column.kind == "json" else column.name
    sealed = {
        "text": f"{column.name} LIKE 'gAAAA%'",
        "json": f"{column.name}::text LIKE '%gAAAA%'",
        "bytes": f"substring({column.name} FROM 1 FOR 5) = 'gAAAA'::bytea",
    }[column.kind]
    last: tuple[Any, ...] = ()
    while True:
        places = ", ".join(f"${place}" for place in range(1, len(last) + 1))
        after = f" AND ({key}) > ({places})" if last else ""
        rows = await connection.fetch(
            f"SELECT {key}, {value} AS value FROM {table} WHERE {sealed}{after} "
            f"ORDER BY {key} LIMIT {_BATCH}",
            *last,
        )
        if not rows:
            return
        yield rows
        last = tuple(rows[-1][name] for name in column.key)


def _update(column: SealedColumn) -> str:
    """Only where the value is still the one that was read."""
    size, cast = len(column.key), {"text": "text", "json": "jsonb", "bytes": "bytea"}[column.kind]
    conditions = list(_conditions(column.key))
    conditions.append(f"{column.name} = ${size + 1}::{cast}")
    return (
        f"UPDATE {column.schema}.{column.table} SET {column.name} = ${size + 2}::{cast} "
        f"WHERE {' AND '.join(conditions)}"
    )


def _conditions(key: Sequence[str]) -> Iterator[str]:
    for place, name in enumerate(key, start=1):
        yield f"{name} = ${place}"


def _bound(column: SealedColumn) -> Any:
    def bound(values: Sequence[Any]) -> list[Any]:
        if column.kind != "bytes":
            return list(values)
        return [*values[:-2], values[-2].encode(), values[-1].encode()]

    return bound


def _as_text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
