"""Ids that stand for others: rows keep the id they came with, and whoever reads resolves it.

A projection's table has, beside its key, a nullable `merged_into`: the key of the row that stands
for this one, kept flat by whoever tells of it, so that one look resolves any id. What is found
here is part of the statement that needs it, so nobody pays a round trip, and of whoever was never
merged no more than a probe or two of an index.

Statements name the tenant by the parameter `tenant`.
"""

from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Index,
    Table,
    Uuid,
    bindparam,
    case,
    func,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

_TENANT: Final = bindparam("tenant", type_=Uuid)


def stands_for(record: FromClause, *, key: str = "id") -> ColumnElement[Any]:
    """The id that stands for a row, to look another row up by.

    No `coalesce()`: under row-level security no index is used for that.
    """
    return case((record.c.merged_into.is_(None), record.c[key]), else_=record.c.merged_into)


class Aliases:
    """Which rows of one table stand for which."""

    def __init__(self, table: Table, *, key: str) -> None:
        self._table = table
        self._key = key

    def root(self, asked: ColumnElement[Any]) -> ColumnElement[Any]:
        """The id that stands for this one: itself, also where nothing is known of it."""
        row = self._table.alias("asked_record")
        found = select(row.c.merged_into).where(
            row.c.tenant_id == _TENANT, row.c[self._key] == asked
        )
        # A sub-select of its own: under row-level security no index is used for a coalesce().
        either: Any = func.coalesce(found.scalar_subquery(), asked, type_=Uuid)
        return select(either).scalar_subquery()

    def members(self, asked: ColumnElement[Any]) -> ColumnElement[Any]:
        """All ids that are one with this one, as an array: of whoever is alone the id itself."""
        row = self._table.alias("member_record")
        root = self.root(asked)
        others = select(row.c[self._key]).where(
            row.c.tenant_id == _TENANT, row.c.merged_into == root
        )
        every = union_all(select(root), others)
        return func.array(every.scalar_subquery(), type_=ARRAY(Uuid))


def index_of_members(table: Table) -> Index:
    """What finds the rows that another row stands for; it holds nobody else."""
    return Index(
        f"ix_{table.name}_merged_into",
        table.c.tenant_id,
        table.c.merged_into,
        postgresql_where=table.c.merged_into.is_not(None),
    )
