"""Many rows as one statement's parameters: an array per column, unnested on the server.

The bulk form that needs no COPY: `INSERT ... SELECT FROM unnest(...)`, and the same for UPDATE. One
row or a thousand, the statement is the same, and prepared and planned once.

PostgreSQL reads the length of an array that is a parameter, hopes that the next one is as short,
and plans each call anew because of it: for a row or two that costs several times what the statement
does. Behind a sub-select it does not look.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Table, Uuid, bindparam, cast, column, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.selectable import TableValuedAlias


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
