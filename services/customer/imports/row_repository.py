"""SQL of what became of the rows of imports."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Integer,
    Row,
    Text,
    Uuid,
    bindparam,
    column,
    func,
    insert,
    literal_column,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.customer.customers.models import customer
from services.customer.imports.models import customer_import, import_row
from shared.db.paging import PageRequest, SortKey, next_cursor, page
from shared.db.prepared import Bound, Rows
from shared.db.rows import NewRows, RowsParameter
from shared.db.unit_of_work import UnitOfWork

Told = Row[*tuple[Any, ...]]
ROWS_IN_ORDER: Final = (SortKey(import_row.c.row, "row", int),)
ROW_COLUMNS: Final = (
    *("row", "outcome", "customer_id", "code", "of_row"),
    *("problems", "changes", "customer_version"),
)
_TENANT: Final = bindparam("tenant", type_=Uuid)
_IMPORT: Final = bindparam("this_import", type_=Uuid)
_IDS: Final = bindparam("ids", type_=ARRAY(Uuid))
_rows = NewRows("row", import_row, ROW_COLUMNS)
_undone = RowsParameter("undone", import_row, ("row", "undone", "customer_version"))
_ADD_ROWS: Final = (
    insert(import_row)
    .from_select(
        ["tenant_id", "import_id", *ROW_COLUMNS], select(_TENANT, _IMPORT, *_rows.source.c)
    )
    .returning(import_row.c.row)
)
_asked = func.unnest(_IDS).table_valued(column("id", Uuid)).render_derived(name="asked")
# One customer after the other: all at once they might be looked for in each row of the import.
_met = (
    select(
        func.min(import_row.c.row).label("row"),
        func.max(import_row.c.customer_version).label("version"),
    )
    .where(
        import_row.c.tenant_id == _TENANT,
        import_row.c.customer_id == _asked.c.id,
        import_row.c.import_id == _IMPORT,
    )
    .lateral("met")
)
MET: Final = (
    select(_asked.c.id.label("customer_id"), *_met.c)
    .join_from(_asked, _met, true())
    .where(_met.c.row.is_not(None))
)
_TO_UNDO: Final = (
    select(import_row)
    .where(
        import_row.c.tenant_id == _TENANT,
        import_row.c.import_id == _IMPORT,
        import_row.c.row < bindparam("before", type_=Integer),
    )
    .order_by(import_row.c.row.desc())
    .limit(bindparam("at_most", type_=Integer))
)
_told = (
    select(*(import_row.c[name] for name in ("import_id", "customer_id", "changes", "undone")))
    .where(
        import_row.c.tenant_id == _TENANT,
        import_row.c.customer_id == _asked.c.id,
        import_row.c.import_id != _IMPORT,
        import_row.c.undone.in_(("restored", "partly")),
        import_row.c.changes != {},
    )
    .order_by(import_row.c.import_id.desc(), import_row.c.row.desc())
    .limit(literal_column("100", Integer))
    .lateral("told")
)
_TAKEN_BACK_BEFORE: Final = (
    select(_told.c.customer_id, _told.c.changes, _told.c.undone, customer_import.c.source)
    .join_from(_asked, _told, true())
    .join(
        customer_import,
        (customer_import.c.tenant_id == _TENANT) & (customer_import.c.id == _told.c.import_id),
    )
)
_MARK_UNDONE: Final = (
    update(import_row)
    .values(undone=_undone.source.c.undone, customer_version=_undone.source.c.customer_version)
    .where(
        import_row.c.tenant_id == _TENANT,
        import_row.c.import_id == _IMPORT,
        import_row.c.row == _undone.source.c.row,
    )
)
_further: Final = (
    select(import_row.c.row)
    .where(
        import_row.c.tenant_id == _TENANT,
        import_row.c.import_id == _IMPORT,
        import_row.c.row > bindparam("after", type_=Integer),
    )
    .order_by(import_row.c.row)
    .limit(bindparam("at_most", type_=Integer))
    .cte("further")
)
_LAST_OF_THEM: Final = select(func.max(_further.c.row))
_FORGET: Final = (
    update(import_row)
    .where(
        import_row.c.tenant_id == _TENANT,
        import_row.c.import_id == _IMPORT,
        import_row.c.row > bindparam("after", type_=Integer),
        import_row.c.row <= bindparam("until", type_=Integer),
        import_row.c.changes != {},
    )
    .values(changes={})
)
_CODES: Final = select(customer.c.code, customer.c.id).where(
    customer.c.tenant_id == _TENANT,
    customer.c.code == func.any(bindparam("codes", type_=ARRAY(Text))),
)


class ImportRowRepository:
    """Rows of imports with their outcomes, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    def bind(self, import_id: UUID, rows: Iterable[Mapping[str, Any]]) -> Bound:
        """Make ready to be kept what became of some rows, in any thread."""
        asked = {**self._tenant, "this_import": import_id, **_rows.values(rows)}
        return self._uow.bind(_ADD_ROWS, asked)

    async def add_bound(self, bound: Bound) -> None:
        """Keep what became of rows."""
        await self._uow.execute_bound(bound)

    async def rows_page(
        self,
        import_id: UUID,
        request: PageRequest,
        *,
        outcome: str | None,
        customer_id: UUID | None,
    ) -> tuple[Sequence[Told], str | None]:
        """A page of rows with their outcomes, in the order of the file, and the next cursor."""
        row = import_row.c
        wanted = select(import_row).where(row.tenant_id == _TENANT, row.import_id == _IMPORT)
        if outcome is not None:
            wanted = wanted.where(row.outcome == outcome)
        if customer_id is not None:
            wanted = wanted.where(row.customer_id == customer_id)
        asked = {**self._tenant, "this_import": import_id}
        rows = await self._uow.rows(page(wanted, ROWS_IN_ORDER, request), asked)
        return next_cursor(rows, ROWS_IN_ORDER, request.limit)

    async def first_rows(self, import_id: UUID, customer_ids: Collection[UUID]) -> dict[UUID, int]:
        """Which of these customers the import has met before, and in which row first."""
        return {row.customer_id: row.row for row in await self._met(import_id, customer_ids)}

    async def left_at(
        self, import_id: UUID, customer_ids: Collection[UUID]
    ) -> dict[UUID, int | None]:
        """The versions in which the import has left customers."""
        return {row.customer_id: row.version for row in await self._met(import_id, customer_ids)}

    async def ids_by_code(self, codes: Collection[str]) -> dict[str, UUID]:
        """The customers with these codes."""
        if not codes:
            return {}
        rows = await self._uow.rows(_CODES, {**self._tenant, "codes": list(codes)})
        return {row.code: row.id for row in rows}

    async def to_undo(self, import_id: UUID, *, before: int, at_most: int) -> Sequence[Told]:
        """The rows above a number, the last first."""
        asked = {**self._tenant, "this_import": import_id, "before": before, "at_most": at_most}
        return await self._uow.rows(_TO_UNDO, asked)

    async def taken_back_before(
        self, import_id: UUID, customer_ids: Collection[UUID]
    ) -> Sequence[Told]:
        """What rows of other imports had changed of these customers, and was taken back."""
        if not customer_ids:
            return []
        asked = {**self._tenant, "this_import": import_id, "ids": list(customer_ids)}
        return await self._uow.rows(_TAKEN_BACK_BEFORE, asked)

    async def mark_undone(
        self,
        import_id: UUID,
        rows: Sequence[Told],
        undone: Mapping[int, str],
        *,
        versions: Mapping[UUID, int],
    ) -> None:
        """Say of rows how far they were taken back, and in which version that left customers."""
        marked = [
            {
                "row": row.row,
                "undone": undone.get(row.row),
                "customer_version": versions.get(row.customer_id, row.customer_version),
            }
            for row in rows
        ]
        if marked:
            asked = {**self._tenant, "this_import": import_id, **_undone.values(marked)}
            await self._uow.execute(_MARK_UNDONE, asked)

    async def forget_changes(self, import_id: UUID, *, after: int, at_most: int) -> int | None:
        """Forget what further rows changed; up to which row, None when there were no more."""
        asked = {**self._tenant, "this_import": import_id, "after": after}
        last: int | None = await self._uow.scalar(_LAST_OF_THEM, {**asked, "at_most": at_most})
        if last is not None:
            await self._uow.execute(_FORGET, {**asked, "until": last})
        return last

    async def _met(self, import_id: UUID, customer_ids: Collection[UUID]) -> Rows:
        if not customer_ids:
            return []
        asked = {**self._tenant, "this_import": import_id, "ids": list(customer_ids)}
        return await self._uow.rows(MET, asked)
