"""SQL of notes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Row,
    Uuid,
    bindparam,
    delete,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from services.customer.notes.errors import NoteNotFound
from services.customer.notes.models import note
from shared.db.merged import Source, merged_page
from shared.db.paging import PageRequest, SortKey, next_cursor, parse_id, parse_instant
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork


def _parse_flag(value: Any) -> ColumnElement[bool]:
    """As a parameter: SQLAlchemy knows no order of the constants `true` and `false`."""
    if not isinstance(value, bool):
        raise TypeError(value)
    return literal(value, Boolean)


PINNED_FIRST: Final = (
    SortKey(note.c.pinned, "pinned", _parse_flag, descending=True),
    SortKey(note.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(note.c.id, "id", parse_id, descending=True),
)
_TENANT: Final = bindparam("tenant", type_=Uuid)
_MEMBERS: Final = bindparam("members", type_=ARRAY(Uuid))
_ID: Final = bindparam("id", type_=Uuid)
_ADD: Final = insert(note).returning(*note.c)
_BY_ID: Final = select(note).where(
    note.c.tenant_id == _TENANT, note.c.id == _ID, note.c.customer_id == func.any(_MEMBERS)
)
_LOCK: Final = _BY_ID.with_for_update()
_new = RowsParameter("note", note, [column.name for column in note.c if column.name != "tenant_id"])
_ADD_MANY: Final = (
    insert(note)
    .from_select(["tenant_id", *_new.columns], select(_TENANT, *_new.source.c))
    .on_conflict_do_nothing(index_elements=["tenant_id", "id"])
    .returning(note.c.id)
)
_REMOVE_UNTOUCHED: Final = delete(note).where(
    note.c.tenant_id == _TENANT,
    note.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid))),
    note.c.version == 1,
)
_REMOVE: Final = delete(note).where(note.c.tenant_id == _TENANT, note.c.id == _ID)


class NoteRepository:
    """Notes, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def add(self, columns: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The new note."""
        return await self._uow.one(_ADD, {"tenant_id": self._uow.tenant_id, **columns})

    async def add_many(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """New notes about many customers."""
        if rows:
            await self._uow.rows(_ADD_MANY, {**self._tenant, **_new.values(rows)})

    async def remove_untouched(self, note_ids: Sequence[UUID]) -> None:
        """Forget those of these notes that nobody has changed since they were written."""
        if note_ids:
            await self._uow.execute(_REMOVE_UNTOUCHED, {**self._tenant, "ids": list(note_ids)})

    async def get(
        self, member_ids: Sequence[UUID], note_id: UUID, *, lock: bool = False
    ) -> Row[*tuple[Any, ...]]:
        """A note to any record of a person. Raises NoteNotFound."""
        wanted = {**self._tenant, "members": list(member_ids), "id": note_id}
        row = await self._uow.one_or_none(_LOCK if lock else _BY_ID, wanted)
        if row is None:
            raise NoteNotFound
        return row

    async def save(self, note_id: UUID, changes: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The note with these columns changed and its version grown."""
        statement = (
            update(note)
            .where(note.c.tenant_id == self._uow.tenant_id, note.c.id == note_id)
            .values(**changes, version=note.c.version + 1)
            .returning(*note.c)
        )
        return await self._uow.one(statement)

    async def remove(self, note_id: UUID) -> None:
        """Forget a note."""
        await self._uow.execute(_REMOVE, {**self._tenant, "id": note_id})

    async def page_of(
        self, member_ids: Sequence[UUID], request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of a person's notes, pinned ones first, then the newest; the next cursor."""
        statement = merged_page(
            note,
            list(note.c),
            [Source(lambda member: note.c.customer_id == member, _MEMBERS)],
            where=[note.c.tenant_id == _TENANT],
            order=PINNED_FIRST,
            request=request,
        )
        rows = await self._uow.rows(statement, {**self._tenant, "members": list(member_ids)})
        return next_cursor(rows, PINNED_FIRST, request.limit)
