"""SQL of the shop's own roles. Every statement is built once, when this is imported."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from gateway.roles.errors import RoleNameTaken, RoleNotFound
from gateway.roles.models import role
from gateway.roles.record import COLUMNS, RoleRecord
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.unit_of_work import UnitOfWork

NEWEST = (
    SortKey(role.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(role.c.id, "id", parse_id, descending=True),
)
_TENANT = role.c.tenant_id == bindparam("tenant")
_ADD = insert(role).on_conflict_do_nothing(index_elements=["tenant_id", "name_key"])
_LIST = select(*[role.c[name] for name in COLUMNS]).where(_TENANT)
_BY_ID = _LIST.where(role.c.id == bindparam("id"))
_LOCK = _BY_ID.with_for_update()
_HOLD = _BY_ID.with_for_update(read=True)
_CHANGED = ("name", "name_key", "description", "scopes", "visibility", "updated_at", "version")
_SAVE = (
    update(role)
    .where(_TENANT, role.c.id == bindparam("role_id"))
    .values({name: bindparam(name) for name in _CHANGED})
)
_DELETE = delete(role).where(_TENANT, role.c.id == bindparam("role_id"))


class RoleRepository:
    """The roles that one shop has made, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def add(self, record: RoleRecord) -> None:
        """Raises RoleNameTaken."""
        row = {"tenant_id": self._uow.tenant_id, **record.as_row()}
        if await self._uow.execute(_ADD, row) == 0:
            raise RoleNameTaken

    async def get(self, role_id: UUID) -> RoleRecord:
        """Raises RoleNotFound."""
        row = await self._uow.one_or_none(_BY_ID, {**self._tenant, "id": role_id})
        if row is None:
            raise RoleNotFound
        return RoleRecord.of(row)

    async def lock(self, role_id: UUID) -> RoleRecord:
        """The role, kept from being given, changed or deleted. Raises RoleNotFound."""
        row = await self._uow.one_or_none(_LOCK, {**self._tenant, "id": role_id})
        if row is None:
            raise RoleNotFound
        return RoleRecord.of(row)

    async def hold(self, role_id: UUID) -> RoleRecord | None:
        """The role, kept from being changed or deleted while it is given to somebody."""
        row = await self._uow.one_or_none(_HOLD, {**self._tenant, "id": role_id})
        return RoleRecord.of(row) if row else None

    async def save(self, record: RoleRecord) -> None:
        """Write what may change of a locked record. Raises RoleNameTaken."""
        values = {name: value for name, value in record.as_row().items() if name in _CHANGED}
        try:
            await self._uow.execute(_SAVE, {**self._tenant, **values, "role_id": record.id})
        except IntegrityError as error:
            raise RoleNameTaken from error

    async def delete(self, role_id: UUID) -> None:
        """Forget a locked role that nobody has."""
        await self._uow.execute(_DELETE, {**self._tenant, "role_id": role_id})

    async def list_newest(self, request: PageRequest) -> tuple[Sequence[RoleRecord], str | None]:
        """A page of roles, the newest first, and the next page's cursor."""
        rows = await self._uow.rows(page(_LIST, NEWEST, request), self._tenant)
        kept, cursor = next_cursor(rows, NEWEST, request.limit)
        return [RoleRecord.of(row) for row in kept], cursor
