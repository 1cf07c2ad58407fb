"""SQL of imports: the file, its rows, their outcomes, and the keys that rows are known by."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Integer,
    Row,
    Text,
    Uuid,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as insert_or

from services.customer.addresses.models import customer_address
from services.customer.contacts.models import contact_person
from services.customer.customers.models import customer
from services.customer.imports.errors import ImportNotFound
from services.customer.imports.models import (
    customer_import,
    import_chunk,
    import_key,
    import_piece,
    import_row,
)
from services.customer.notes.models import note
from services.customer.timeline.models import timeline_entry
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.rows import RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId

Import = Row[*tuple[Any, ...]]
LIVE: Final = UUID(int=0)
"""The scope of the keys that count; others are tried out."""

NEWEST_FIRST: Final = (
    SortKey(customer_import.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(customer_import.c.id, "id", parse_id, descending=True),
)
ROWS_IN_ORDER: Final = (SortKey(import_row.c.row, "row", int),)
ROW_COLUMNS: Final = (
    *("row", "outcome", "customer_id", "code", "of_row"),
    *("problems", "changes", "customer_version"),
)
_TENANT: Final = bindparam("tenant", type_=Uuid)
_IMPORT: Final = bindparam("this_import", type_=Uuid)
_NUMBER: Final = bindparam("at", type_=Integer)
_IDS: Final = bindparam("ids", type_=ARRAY(Uuid))
_rows = RowsParameter("row", import_row, ROW_COLUMNS)
_keys = RowsParameter("key", import_key, ("key", "customer_id", "row"))
_undone = RowsParameter("undone", import_row, ("row", "undone", "customer_version"))

_ADD: Final = insert(customer_import).returning(*customer_import.c)
_BY_ID: Final = select(customer_import).where(
    customer_import.c.tenant_id == _TENANT, customer_import.c.id == _IMPORT
)
_LOCK: Final = _BY_ID.with_for_update()
_EXPIRED: Final = (
    select(customer_import.c.id)
    .where(
        customer_import.c.tenant_id == _TENANT,
        customer_import.c.files_expire_at < bindparam("now", type_=Instant),
    )
    .limit(20)
)
_ADD_PIECE: Final = insert(import_piece)
_ADD_CHUNK: Final = insert(import_chunk)
_PIECES: Final = (
    select(import_piece.c.number, import_piece.c.content)
    .where(
        import_piece.c.tenant_id == _TENANT,
        import_piece.c.import_id == _IMPORT,
        import_piece.c.number >= _NUMBER,
        import_piece.c.number < bindparam("before", type_=Integer),
    )
    .order_by(import_piece.c.number)
)
_CHUNK: Final = select(import_chunk.c.content).where(
    import_chunk.c.tenant_id == _TENANT,
    import_chunk.c.import_id == _IMPORT,
    import_chunk.c.number == _NUMBER,
)
_FORGET_PIECES: Final = delete(import_piece).where(
    import_piece.c.tenant_id == _TENANT, import_piece.c.import_id == _IMPORT
)
_FORGET_PIECE: Final = delete(import_piece).where(
    import_piece.c.tenant_id == _TENANT,
    import_piece.c.import_id == _IMPORT,
    import_piece.c.number == _NUMBER,
)
_FORGET_CHUNKS: Final = delete(import_chunk).where(
    import_chunk.c.tenant_id == _TENANT, import_chunk.c.import_id == _IMPORT
)
_ADD_ROWS: Final = (
    insert(import_row)
    .from_select(
        ["tenant_id", "import_id", *ROW_COLUMNS], select(_TENANT, _IMPORT, *_rows.source.c)
    )
    .returning(import_row.c.row)
)
_KEYS: Final = select(
    import_key.c.scope, import_key.c.key, import_key.c.customer_id, import_key.c.row
).where(
    import_key.c.tenant_id == _TENANT,
    import_key.c.scope == func.any(bindparam("scopes", type_=ARRAY(Uuid))),
    import_key.c.key == func.any(bindparam("keys", type_=ARRAY(Uuid))),
)
_SCOPE: Final = bindparam("scope", type_=Uuid)
_ADD_KEYS: Final = (
    insert_or(import_key)
    .from_select(["tenant_id", "scope", *_keys.columns], select(_TENANT, _SCOPE, *_keys.source.c))
    .on_conflict_do_nothing(index_elements=["tenant_id", "scope", "key"])
    .returning(import_key.c.key)
)
_FORGET_TRIED: Final = delete(import_key).where(
    import_key.c.tenant_id == _TENANT,
    import_key.c.scope == _SCOPE,
    import_key.c.key >= bindparam("first", type_=Uuid),
    import_key.c.key <= bindparam("last", type_=Uuid),
)
_FORGET_KEYS: Final = delete(import_key).where(
    import_key.c.tenant_id == _TENANT,
    import_key.c.scope == bindparam("scope", type_=Uuid),
    import_key.c.customer_id == func.any(_IDS),
)
_FIRST_ROWS: Final = (
    select(import_row.c.customer_id, func.min(import_row.c.row).label("row"))
    .where(
        import_row.c.tenant_id == _TENANT,
        import_row.c.customer_id == func.any(_IDS),
        import_row.c.import_id == _IMPORT,
    )
    .group_by(import_row.c.customer_id)
)
_LAST_VERSIONS: Final = (
    select(import_row.c.customer_id, func.max(import_row.c.customer_version).label("version"))
    .where(
        import_row.c.tenant_id == _TENANT,
        import_row.c.customer_id == func.any(_IDS),
        import_row.c.import_id == _IMPORT,
    )
    .group_by(import_row.c.customer_id)
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
_MARK_UNDONE: Final = (
    update(import_row)
    .values(undone=_undone.source.c.undone, customer_version=_undone.source.c.customer_version)
    .where(
        import_row.c.tenant_id == _TENANT,
        import_row.c.import_id == _IMPORT,
        import_row.c.row == _undone.source.c.row,
    )
)
_CODES: Final = select(customer.c.code, customer.c.id).where(
    customer.c.tenant_id == _TENANT,
    customer.c.code == func.any(bindparam("codes", type_=ARRAY(Text))),
)
_OWN_WORK: Final = (
    *("customer.created", "customer.imported", "customer.assigned", "customer.recognised"),
    *("segment.entered", "segment.left", "consent.granted", "consent.withdrawn"),
    *("customer.import_undone"),
)
# Whom something has happened to that no import does.
_BUSY: Final = select(customer.c.id).where(
    customer.c.tenant_id == _TENANT,
    customer.c.id == func.any(_IDS),
    or_(
        exists().where(
            timeline_entry.c.tenant_id == _TENANT,
            timeline_entry.c.customer_id == customer.c.id,
            timeline_entry.c.type != func.all(bindparam("own_work", type_=ARRAY(Text))),
        ),
        exists().where(
            contact_person.c.tenant_id == _TENANT, contact_person.c.customer_id == customer.c.id
        ),
        exists().where(
            customer_address.c.tenant_id == _TENANT,
            customer_address.c.customer_id == customer.c.id,
            or_(customer_address.c.version > 1, ~customer_address.c.is_primary),
        ),
        exists().where(
            note.c.tenant_id == _TENANT, note.c.customer_id == customer.c.id, note.c.version > 1
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class KnownKey:
    """Whom a key leads to, and the row that brought it."""

    customer_id: UUID
    row: int
    is_tried: bool
    """Whether it is of this dry run: that customer is not there."""


class ImportRepository:
    """Imports, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    @property
    def tenant_id(self) -> TenantId:
        """Whose imports these are."""
        return self._uow.tenant_id

    async def add(self, columns: Mapping[str, Any]) -> Import:
        """A new import."""
        return await self._uow.one(_ADD, {"tenant_id": self._uow.tenant_id, **columns})

    async def get(self, import_id: UUID, *, lock: bool = False) -> Import:
        """Raises ImportNotFound."""
        asked = {**self._tenant, "this_import": import_id}
        row = await self._uow.one_or_none(_LOCK if lock else _BY_ID, asked)
        if row is None:
            raise ImportNotFound
        return row

    async def expired(self) -> list[UUID]:
        """The imports whose files are kept no longer."""
        asked = {**self._tenant, "now": self._uow.clock.now()}
        return list(await self._uow.scalars(_EXPIRED, asked))

    async def page(self, request: PageRequest) -> tuple[Sequence[Import], str | None]:
        """A page of imports, the newest first, and the next cursor."""
        wanted = select(customer_import).where(customer_import.c.tenant_id == _TENANT)
        rows = await self._uow.rows(page(wanted, NEWEST_FIRST, request), self._tenant)
        return next_cursor(rows, NEWEST_FIRST, request.limit)

    async def save(self, import_id: UUID, changes: Mapping[str, Any]) -> Import:
        """The import with these columns changed and its version grown."""
        statement = (
            update(customer_import)
            .where(
                customer_import.c.tenant_id == self._uow.tenant_id,
                customer_import.c.id == import_id,
            )
            .values(
                **changes,
                updated_at=self._uow.clock.now(),
                version=customer_import.c.version + 1,
            )
            .returning(*customer_import.c)
        )
        return await self._uow.one(statement)

    async def add_piece(self, import_id: UUID, number: int, content: bytes) -> None:
        """A further piece of the file."""
        identity = {"tenant_id": self._uow.tenant_id, "import_id": import_id}
        await self._uow.execute(_ADD_PIECE, {**identity, "number": number, "content": content})

    async def pieces(self, import_id: UUID, first: int, count: int) -> list[bytes]:
        """Some pieces of the file, in order."""
        asked = {**self._tenant, "this_import": import_id, "at": first, "before": first + count}
        return [row.content for row in await self._uow.rows(_PIECES, asked)]

    async def forget_piece(self, import_id: UUID, number: int) -> None:
        """Delete a piece, to be written anew."""
        asked = {**self._tenant, "this_import": import_id, "at": number}
        await self._uow.execute(_FORGET_PIECE, asked)

    async def forget_pieces(self, import_id: UUID) -> None:
        """Delete the file."""
        await self._uow.execute(_FORGET_PIECES, {**self._tenant, "this_import": import_id})

    async def add_chunk(self, import_id: UUID, number: int, content: bytes, *, rows: int) -> None:
        """Some rows of the file."""
        identity = {"tenant_id": self._uow.tenant_id, "import_id": import_id}
        values = {"number": number, "rows": rows, "content": content}
        await self._uow.execute(_ADD_CHUNK, {**identity, **values})

    async def chunk(self, import_id: UUID, number: int) -> bytes | None:
        """Some rows of the file; None after the last."""
        asked = {**self._tenant, "this_import": import_id, "at": number}
        content: bytes | None = await self._uow.scalar(_CHUNK, asked)
        return content

    async def forget_chunks(self, import_id: UUID) -> None:
        """Delete the rows that were read from the file."""
        await self._uow.execute(_FORGET_CHUNKS, {**self._tenant, "this_import": import_id})

    async def add_rows(self, import_id: UUID, rows: Iterable[Mapping[str, Any]]) -> None:
        """What became of some rows."""
        await self._uow.rows(
            _ADD_ROWS, {**self._tenant, "this_import": import_id, **_rows.values(rows)}
        )

    async def rows_page(
        self,
        import_id: UUID,
        request: PageRequest,
        *,
        outcome: str | None,
        customer_id: UUID | None,
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
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

    async def keys(self, keys: Collection[UUID], *, scope: UUID) -> dict[UUID, KnownKey]:
        """Whom these keys lead to: those that count, and those of a dry run."""
        if not keys:
            return {}
        asked = {**self._tenant, "scopes": list({LIVE, scope}), "keys": list(keys)}
        found: dict[UUID, KnownKey] = {}
        for row in await self._uow.rows(_KEYS, asked):
            known = KnownKey(row.customer_id, row.row, is_tried=row.scope != LIVE)
            # What a dry run has tried comes after what is there.
            if row.key not in found or not known.is_tried:
                found[row.key] = known
        return found

    async def add_keys(self, keys: Mapping[UUID, tuple[UUID, int]], *, scope: UUID) -> int:
        """Remember keys, with customer and row; how many nobody else has brought meanwhile."""
        if not keys:
            return 0
        rows = [
            {"key": key, "customer_id": customer_id, "row": row}
            for key, (customer_id, row) in sorted(keys.items())
        ]
        asked = {**self._tenant, "scope": scope, **_keys.values(rows)}
        return len(await self._uow.rows(_ADD_KEYS, asked))

    async def forget_tried(self, scope: UUID, *, slice_: int, of: int) -> None:
        """Forget one of so many equal parts of what a dry run has tried: keys are digests."""
        first, last = slice_ * 2**128 // of, (slice_ + 1) * 2**128 // of - 1
        asked = {"scope": scope, "first": UUID(int=first), "last": UUID(int=last)}
        await self._uow.execute(_FORGET_TRIED, {**self._tenant, **asked})

    async def forget_keys(self, customer_ids: Collection[UUID]) -> None:
        """Let no row lead to these customers any more."""
        asked = {**self._tenant, "scope": LIVE, "ids": list(customer_ids)}
        await self._uow.execute(_FORGET_KEYS, asked)

    async def first_rows(self, import_id: UUID, customer_ids: Collection[UUID]) -> dict[UUID, int]:
        """Which of these customers the import has met before, and in which row first."""
        if not customer_ids:
            return {}
        asked = {**self._tenant, "this_import": import_id, "ids": list(customer_ids)}
        return {row.customer_id: row.row for row in await self._uow.rows(_FIRST_ROWS, asked)}

    async def left_at(
        self, import_id: UUID, customer_ids: Collection[UUID]
    ) -> dict[UUID, int | None]:
        """The versions in which the import has left customers."""
        asked = {**self._tenant, "this_import": import_id, "ids": list(customer_ids)}
        return {row.customer_id: row.version for row in await self._uow.rows(_LAST_VERSIONS, asked)}

    async def ids_by_code(self, codes: Collection[str]) -> dict[str, UUID]:
        """The customers with these codes."""
        if not codes:
            return {}
        rows = await self._uow.rows(_CODES, {**self._tenant, "codes": list(codes)})
        return {row.code: row.id for row in rows}

    async def to_undo(
        self, import_id: UUID, *, before: int, at_most: int
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """The rows above a number, the last first."""
        asked = {**self._tenant, "this_import": import_id, "before": before, "at_most": at_most}
        return await self._uow.rows(_TO_UNDO, asked)

    async def mark_undone(
        self,
        import_id: UUID,
        rows: Sequence[Row[*tuple[Any, ...]]],
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

    async def busy(self, customer_ids: Collection[UUID]) -> set[UUID]:
        """Whom of these something has happened to since they were imported."""
        if not customer_ids:
            return set()
        asked = {**self._tenant, "ids": list(customer_ids), "own_work": list(_OWN_WORK)}
        return set(await self._uow.scalars(_BUSY, asked))
