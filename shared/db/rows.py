"""Many rows as one statement's parameters: an array per column, unnested on the server.

The bulk form that needs no COPY: `INSERT ... SELECT FROM unnest(...)`, and the same for UPDATE. One
row or a thousand, the statement is the same and prepared once.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Table, bindparam, column, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.selectable import TableValuedAlias


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
        typed = [column(c, type_) for c, type_ in zip(self.columns, types, strict=True)]
        self.source: TableValuedAlias = (
            func.unnest(*arrays).table_valued(*typed).render_derived(name=f"{name}_rows")
        )

    def values(self, rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
        """The parameters for these rows; every row has a value for each column."""
        listed = list(rows)
        return {
            parameter: [row[column_name] for row in listed]
            for parameter, column_name in zip(self._names, self.columns, strict=True)
        }
