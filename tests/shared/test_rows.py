"""Rows as parameters: one array per column, whatever the types."""

from datetime import UTC, date, datetime

from sqlalchemy import BigInteger, Column, Date, MetaData, Table, Text, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from shared.db.rows import RowsParameter
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


async def test_rows_arrive_as_they_were_given(database_url):
    rows = RowsParameter("given", _THING, [column.name for column in _THING.c])
    given = [
        {
            "id": new_id(),
            "name": name,
            "count": count,
            "tags": tags,
            "born": born,
            "at": datetime(2026, 1, 1, tzinfo=UTC),
        }
        for name, count, tags, born in (
            ("Đức", 2**40, ["a", "b"], date(2000, 2, 29)),
            (None, None, [], None),
            ("", 0, {"deep": [1, None]}, date(1900, 1, 1)),
        )
    ]
    engine = create_async_engine(database_url, poolclass=NullPool)
    async with engine.connect() as connection:
        found = await connection.execute(select(*rows.source.c), rows.values(given))
        assert [dict(row._mapping) for row in found] == given
        nothing = await connection.execute(select(*rows.source.c), rows.values([]))
        assert nothing.all() == []
    await engine.dispose()
