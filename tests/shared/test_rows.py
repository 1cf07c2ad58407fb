"""Rows as parameters: an array per column, or one JSON text, whatever the types."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
from asyncpg.pgproto import pgproto
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from shared.db.rows import NewRows, RowsParameter
from shared.db.tables import Instant
from shared.ids import new_id

_THING = Table(
    "thing",
    MetaData(),
    Column("id", Uuid),
    Column("name", Text),
    Column("count", BigInteger),
    Column("tags", JSONB),
    Column("born", Date),
    Column("at", Instant),
)


_COLUMNS = [column.name for column in _THING.c]
_GIVEN = [
    {
        "id": new_id(),
        "name": name,
        "count": count,
        "tags": tags,
        "born": born,
        "at": datetime(2026, 1, 1, 7, 30, 0, 123456, tzinfo=UTC),
    }
    for name, count, tags, born in (
        ("Đức", 2**40, ["a", "b"], date(2000, 2, 29)),
        (None, None, [], None),
        ("", 0, {"deep": [1, None]}, date(1900, 1, 1)),
        ('"\\ {}\n\t\u2028 null', -1, {}, date(9999, 12, 31)),
    )
]


@pytest.mark.parametrize("kind", [RowsParameter, NewRows])
async def test_rows_arrive_as_they_were_given(database_url, kind):
    rows = kind("given", _THING, _COLUMNS)
    assert await _sent(database_url, rows, _GIVEN) == _GIVEN
    assert await _sent(database_url, rows, []) == []


async def test_what_a_text_has_no_word_for_arrives_all_the_same(database_url):
    """Ids as the driver gives them; no value is NULL in JSON, too, and what is more is ignored."""
    table = Table(
        "other", MetaData(), Column("id", Uuid), Column("ok", Boolean), Column("more", JSONB)
    )
    drivers = pgproto.UUID(str(new_id()))
    given = [{"id": drivers, "ok": True, "more": None, "further": object}]
    rows = NewRows("given", table, ["id", "ok", "more"])
    assert await _sent(database_url, rows, given) == [{"id": drivers, "ok": True, "more": None}]
    nulls = select(rows.source.c.more.is_(None).label("is_null"))
    assert await _rows(database_url, nulls, rows.values(given)) == [{"is_null": True}]


def test_a_row_of_a_text_lacks_no_column():
    with pytest.raises(KeyError):
        NewRows("given", _THING, _COLUMNS).values([{"id": new_id()}])


@pytest.mark.parametrize("unreadable", [Float(), LargeBinary()])
def test_what_a_text_cannot_carry_is_refused_at_once(unreadable):
    table = Table("other", MetaData(), Column("what", unreadable))
    with pytest.raises(TypeError, match="what"):
        NewRows("given", table, ["what"])


async def _sent(database_url: str, rows: RowsParameter | NewRows, given: Any) -> list[Any]:
    return await _rows(database_url, select(*rows.source.c), rows.values(given))


async def _rows(database_url: str, statement: Any, parameters: Mapping[str, Any]) -> list[Any]:
    engine = create_async_engine(database_url, poolclass=NullPool)
    async with engine.connect() as connection:
        found = await connection.execute(statement, parameters)
        told = [dict(row._mapping) for row in found]
    await engine.dispose()
    return told
