"""SQL of the files of imports: as they came, and the rows that were read from them."""

from typing import Final
from uuid import UUID

from sqlalchemy import Integer, Uuid, bindparam, delete, insert, select

from services.customer.imports.models import import_chunk, import_piece
from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId

_TENANT: Final = bindparam("tenant", type_=Uuid)
_IMPORT: Final = bindparam("this_import", type_=Uuid)
_NUMBER: Final = bindparam("at", type_=Integer)
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


class ImportFileRepository:
    """Pieces of files and chunks of rows, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    @property
    def tenant_id(self) -> TenantId:
        """Whose files these are."""
        return self._uow.tenant_id

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
