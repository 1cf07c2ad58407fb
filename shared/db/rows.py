"""Many rows as one statement's parameters, the bulk form that needs no COPY.

One row or a thousand, the statement is the same, and prepared and planned once. An array per
column, unnested on the server, is the usual form (`RowsParameter`). New rows of many columns are
one JSON text instead (`NewRows`), which a program writes in a third of the time (ADR 17).

PostgreSQL reads the length of an array that is a parameter, hopes that the next one is as short,
and plans each call anew because of it: for a row or two that costs several times what the statement
does. Behind a sub-select it does not look.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    String,
    Table,
    Text,
    Uuid,
    bindparam,
    cast,
    column,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlalchemy.types import TypeEngine

from shared.json import dumps_text


def any_id(name: str) -> ColumnElement[Any]:
    """`ANY` of the ids in a parameter, planned alike however many they are."""
    ids: BindParameter[Any] = bindparam(name, type_=ARRAY(Uuid))
    return func.any(cast(select(ids).scalar_subquery(), ARRAY(Uuid)))


class RowsParameter:
    """A parameter that is a list of rows with (some of) the columns of a table.

    `source` is what statements select from; `values(rows)` the parameters to run them with.
    """

    def __init__(self, name: str, table: Table, columns: Iterable[str]) -> None:
        self.columns = tuple(columns)
        self._names = tuple(f"{name}_{column_name}" for column_name in self.columns)
        types = [table.c[column_name].type for column_name in self.columns]
        arrays = [
            bindparam(parameter, type_=ARRAY(type_, dimensions=1))
            for parameter, type_ in zip(self._names, types, strict=True)
        ]
        first, *others = arrays
        hidden = select(first).scalar_subquery()
        typed = [column(c, type_) for c, type_ in zip(self.columns, types, strict=True)]
        self.source: TableValuedAlias = (
            func.unnest(hidden, *others).table_valued(*typed).render_derived(name=f"{name}_rows")
        )

    def values(self, rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
        """The parameters for these rows; every row has a value for each column."""
        listed = list(rows)
        return {
            parameter: [row[column_name] for row in listed]
            for parameter, column_name in zip(self._names, self.columns, strict=True)
        }


class NewRows:
    """A parameter that is a list of rows to be inserted, with (some of) the columns of a table.

    For many columns: the server reads a text slower than arrays of a few. And not for joins: the
    planner takes it for a hundred rows, for which it may walk through a table. Nothing here checks
    that values are of their columns' types, as the driver does of arrays; instants are in UTC.

    `source` is what the INSERT selects from; `values(rows)` the parameter to run it with. A value
    of None is NULL in every column, of JSON too. Raises TypeError for columns of other types than
    texts, whole numbers, booleans, dates, instants with a zone, UUIDs and JSON.
    """

    def __init__(self, name: str, table: Table, columns: Iterable[str]) -> None:
        self.columns = tuple(str(each) for each in columns)
        self._name = f"{name}_rows"
        typed = [column(each, _type_in_text(table.c[each])) for each in self.columns]
        given = cast(bindparam(self._name, type_=Text), JSON)
        rows = func.json_to_recordset(given).table_valued(*typed)
        self.source: TableValuedAlias = rows.render_derived(name=self._name, with_types=True)

    def values(self, rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        """The parameter for these rows; every row has a value for each column."""
        columns = self.columns
        return {self._name: dumps_text([{each: row[each] for each in columns} for row in rows])}


_IN_TEXTS = (String, Integer, Boolean, Date, DateTime, Uuid, JSON)


def _type_in_text(given: Column[Any]) -> TypeEngine[Any]:
    is_naive = isinstance(given.type, DateTime) and not given.type.timezone
    if is_naive or not isinstance(given.type, _IN_TEXTS):
        raise TypeError(f"{given.name}: {given.type!r} cannot be read from a JSON text")
    return given.type
