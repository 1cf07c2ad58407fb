"""SQL of staff. Every statement is built once, when this is imported."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from gateway.staff.errors import StaffEmailTaken, StaffNotFound
from gateway.staff.models import staff
from gateway.staff.record import COLUMNS, StaffRecord
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.unit_of_work import UnitOfWork

NEWEST = (
    SortKey(staff.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(staff.c.id, "id", parse_id, descending=True),
)
_COLUMNS = [staff.c[name] for name in COLUMNS]
_TENANT = staff.c.tenant_id == bindparam("tenant")
_ADD = insert(staff).on_conflict_do_nothing()
_BY_ID = select(*_COLUMNS).where(_TENANT, staff.c.id == bindparam("id"))
_LOCK = _BY_ID.with_for_update()
_BY_EMAIL = select(*_COLUMNS).where(_TENANT, staff.c.email_key == bindparam("email_key"))
_OWNERS = (
    select(staff.c.id)
    .where(_TENANT, staff.c.role == "owner", staff.c.active)
    .order_by(staff.c.id)
    .with_for_update()
)
_LIST = select(*_COLUMNS).where(_TENANT)
_CHANGED = ("name", "role", "password_hash", "active", "updated_at", "version")
_SAVE = (
    update(staff)
    .where(_TENANT, staff.c.id == bindparam("staff_id"))
    .values({name: bindparam(name) for name in _CHANGED})
)


class StaffRepository:
    """Staff of one shop, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def add(self, record: StaffRecord) -> None:
        """Raises StaffEmailTaken."""
        values = {"tenant_id": self._uow.tenant_id, **record.as_row()}
        if await self._uow.execute(_ADD, values) == 0:
            raise StaffEmailTaken

    async def get(self, staff_id: UUID) -> StaffRecord:
        """Raises StaffNotFound."""
        found = await self.find(staff_id)
        if found is None:
            raise StaffNotFound
        return found

    async def find(self, staff_id: UUID) -> StaffRecord | None:
        """The member with this id."""
        row = await self._uow.one_or_none(_BY_ID, {"tenant": self._uow.tenant_id, "id": staff_id})
        return StaffRecord.of(row) if row else None

    async def lock(self, staff_id: UUID) -> StaffRecord:
        """The member, kept from changing until the end. Raises StaffNotFound."""
        row = await self._uow.one_or_none(_LOCK, {"tenant": self._uow.tenant_id, "id": staff_id})
        if row is None:
            raise StaffNotFound
        return StaffRecord.of(row)

    async def find_by_email(self, email_key: str) -> StaffRecord | None:
        """The member who logs in with this address."""
        row = await self._uow.one_or_none(
            _BY_EMAIL, {"tenant": self._uow.tenant_id, "email_key": email_key}
        )
        return StaffRecord.of(row) if row else None

    async def lock_owners(self) -> Sequence[UUID]:
        """The owners who can log in, kept from changing until the end."""
        return await self._uow.scalars(_OWNERS, {"tenant": self._uow.tenant_id})

    async def save(self, record: StaffRecord) -> None:
        """Write what may change of a locked record."""
        values = {name: value for name, value in record.as_row().items() if name in _CHANGED}
        keys = {"tenant": self._uow.tenant_id, "staff_id": record.id}
        await self._uow.execute(_SAVE, {**values, **keys})

    async def list_newest(self, request: PageRequest) -> tuple[Sequence[StaffRecord], str | None]:
        """A page of staff, the newest first, and the next page's cursor."""
        rows = await self._uow.rows(page(_LIST, NEWEST, request), {"tenant": self._uow.tenant_id})
        kept, cursor = next_cursor(rows, NEWEST, request.limit)
        return [StaffRecord.of(row) for row in kept], cursor
