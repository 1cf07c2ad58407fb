"""SQL of connections. Every statement is built once, when this is imported."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from gateway.connections.errors import ConnectionNotFound
from gateway.connections.models import connection
from gateway.connections.record import COLUMNS, ConnectionRecord
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.unit_of_work import UnitOfWork

NEWEST = (
    SortKey(connection.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(connection.c.id, "id", parse_id, descending=True),
)
_COLUMNS = [connection.c[name] for name in COLUMNS]
_TENANT = connection.c.tenant_id == bindparam("tenant")
_ADD = insert(connection)
_BY_ID = select(*_COLUMNS).where(_TENANT, connection.c.id == bindparam("id"))
_LOCK = _BY_ID.with_for_update()
_LIST = select(*_COLUMNS).where(_TENANT)
_OPTIONS = select(connection.c.id, connection.c.options).where(
    _TENANT, connection.c.id == bindparam("ids", type_=ARRAY(Uuid)).any_()
)
_CHANGED = tuple(name for name in COLUMNS if name not in ("id", "kind", "platform", "created_at"))
_SAVE = (
    update(connection)
    .where(_TENANT, connection.c.id == bindparam("connection_id"))
    .values({name: bindparam(name) for name in _CHANGED})
)


class ConnectionRepository:
    """Connections of one shop, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def add(self, record: ConnectionRecord) -> None:
        """Keep a new connection."""
        await self._uow.execute(_ADD, {"tenant_id": self._uow.tenant_id, **record.as_row()})

    async def find(self, connection_id: UUID) -> ConnectionRecord | None:
        """The connection with this id."""
        row = await self._uow.one_or_none(
            _BY_ID, {"tenant": self._uow.tenant_id, "id": connection_id}
        )
        return ConnectionRecord.of(row) if row else None

    async def get(self, connection_id: UUID) -> ConnectionRecord:
        """Raises ConnectionNotFound."""
        found = await self.find(connection_id)
        if found is None:
            raise ConnectionNotFound
        return found

    async def lock(self, connection_id: UUID) -> ConnectionRecord:
        """The connection, kept from changing until the end. Raises ConnectionNotFound."""
        row = await self._uow.one_or_none(
            _LOCK, {"tenant": self._uow.tenant_id, "id": connection_id}
        )
        if row is None:
            raise ConnectionNotFound
        return ConnectionRecord.of(row)

    async def save(self, record: ConnectionRecord) -> None:
        """Write what may change of a locked record."""
        values = {name: value for name, value in record.as_row().items() if name in _CHANGED}
        keys = {"tenant": self._uow.tenant_id, "connection_id": record.id}
        await self._uow.execute(_SAVE, {**values, **keys})

    async def options_of(self, ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
        """The options of several connections at once."""
        rows = await self._uow.rows(_OPTIONS, {"tenant": self._uow.tenant_id, "ids": list(ids)})
        return {row.id: row.options for row in rows}

    async def list_newest(
        self, request: PageRequest
    ) -> tuple[Sequence[ConnectionRecord], str | None]:
        """A page of connections, the newest first, and the next page's cursor."""
        rows = await self._uow.rows(page(_LIST, NEWEST, request), {"tenant": self._uow.tenant_id})
        kept, cursor = next_cursor(rows, NEWEST, request.limit)
        return [ConnectionRecord.of(row) for row in kept], cursor
