"""Pages out of several sources of one table, each of which an index holds in the page's order.

`WHERE a = 1 OR b = 2 ORDER BY c LIMIT 50` leaves PostgreSQL two bad choices: walk the order and
filter, which reads the whole table when few rows match, or collect all that match and sort them.
Here each alternative is a source of its own that is read only as far as the page needs, so a page
costs sources times page size, whatever the size of the table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Select, Table, column, func, select, true, union

from shared.db.paging import PageRequest, SortKey, page


@dataclass(frozen=True, slots=True)
class Source:
    """Rows that one condition finds; with `keys` (an array), those of each key in turn."""

    where: Callable[[ColumnElement[Any] | None], ColumnElement[bool]]
    keys: ColumnElement[Any] | None = None


def merged_page(
    table: Table,
    columns: Sequence[ColumnElement[Any]],
    sources: Sequence[Source],
    *,
    where: Sequence[ColumnElement[bool]],
    order: Sequence[SortKey],
    request: PageRequest,
) -> Select[Any]:
    """The page of the rows that any source has and every condition of `where` lets through.

    `where` names the tenant; the last key of the order is the table's `id`.
    """
    names = [key.name for key in order]
    found = union(*(_read(source, where, order, request) for source in sources)).subquery("found")
    newest = select(found.c.id).order_by(
        *(found.c[k.name].desc() if k.descending else found.c[k.name] for k in order)
    )
    wanted = newest.limit(request.limit + 1).subquery("wanted")
    ordering = [key.column.desc() if key.descending else key.column.asc() for key in order]
    assert names[-1] == "id"  # noqa: S101  (a promise of the docstring)
    return (
        select(*columns)
        .join_from(table, wanted, table.c.id == wanted.c.id)
        .where(*where)
        .order_by(*ordering)
    )


def _read(
    source: Source,
    where: Sequence[ColumnElement[bool]],
    order: Sequence[SortKey],
    request: PageRequest,
) -> Select[Any]:
    columns = [key.column.label(key.name) for key in order]
    if source.keys is None:
        rows = page(select(*columns).where(source.where(None), *where), order, request)
        return select(rows.subquery())
    type_ = source.keys.type
    element = type_.item_type if isinstance(type_, ARRAY) else type_
    keys = func.unnest(source.keys).table_valued(column("key", element)).render_derived(name="keys")
    narrowed = select(*columns).where(source.where(keys.c.key), *where)
    rows_of_key = page(narrowed, order, request).lateral()
    return select(*rows_of_key.c).select_from(keys).join(rows_of_key, true())
