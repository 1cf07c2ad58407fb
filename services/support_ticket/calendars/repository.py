"""SQL of business calendars."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from services.support_ticket.calendars.errors import CalendarNotFound
from services.support_ticket.calendars.models import (
    business_calendar as calendar,
)
from services.support_ticket.calendars.models import (
    business_calendar_version as version_table,
)
from services.support_ticket.calendars.opening_hours import CalendarVersion, OpeningHours
from services.support_ticket.calendars.schemas import CalendarRead
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.web.resources import Page

_OF_TENANT = calendar.c.tenant_id == bindparam("tenant")
_ORDER = (
    SortKey(calendar.c.created_at, "created_at", parse_instant),
    SortKey(calendar.c.id, "id", parse_id),
)
_BY_ID = select(calendar).where(_OF_TENANT, calendar.c.id == bindparam("calendar"))
_LOCKED = _BY_ID.with_for_update()
_VERSION = select(version_table.c.definition).where(
    version_table.c.tenant_id == bindparam("tenant"),
    version_table.c.calendar_id == bindparam("calendar"),
    version_table.c.version == bindparam("version"),
)
_ADD_DEFAULT = (
    insert(calendar)
    .on_conflict_do_nothing(
        index_elements=[calendar.c.tenant_id], index_where=calendar.c.is_default.is_(True)
    )
    .returning(calendar.c.id)
)
_DEFAULT_ID = select(calendar.c.id).where(_OF_TENANT, calendar.c.is_default.is_(True))


class CalendarRepository:
    """The calendars of one tenant, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def get(self, calendar_id: UUID) -> CalendarRead:
        """Raises CalendarNotFound."""
        return await self._one(_BY_ID, calendar_id)

    async def lock(self, calendar_id: UUID) -> CalendarRead:
        """The calendar, which nobody else can change now. Raises CalendarNotFound."""
        return await self._one(_LOCKED, calendar_id)

    async def list_page(self, request: PageRequest) -> Page[CalendarRead]:
        """The calendars, oldest first."""
        statement = page(select(calendar).where(_OF_TENANT), _ORDER, request)
        rows = await self._uow.rows(statement, {"tenant": self._uow.tenant_id})
        kept, cursor = next_cursor(rows, _ORDER, request.limit)
        return Page(data=[_read(row) for row in kept], next_cursor=cursor)

    async def ensure_default(self, *, name: str, hours: OpeningHours) -> UUID:
        """The id of the default calendar, created with these hours when there is none."""
        now = self._uow.clock.now()
        values = {
            "tenant_id": self._uow.tenant_id,
            "id": new_id(),
            "version": 1,
            "name": name,
            "is_default": True,
            "definition": hours.model_dump(mode="json"),
            "created_at": now,
            "updated_at": now,
        }
        created: UUID | None = await self._uow.scalar(_ADD_DEFAULT, values)
        if created is not None:
            await self._keep_version(created, 1, hours)
            return created
        existing: UUID = await self._uow.scalar(_DEFAULT_ID, {"tenant": self._uow.tenant_id})
        return existing

    async def replace(self, current: CalendarRead, *, name: str, hours: OpeningHours) -> None:
        """Make `hours` the next version of a locked calendar."""
        version = current.version + 1
        await self._uow.execute(
            update(calendar)
            .where(calendar.c.tenant_id == self._uow.tenant_id, calendar.c.id == current.id)
            .values(
                name=name,
                definition=hours.model_dump(mode="json"),
                version=version,
                updated_at=self._uow.clock.now(),
            )
        )
        await self._keep_version(current.id, version, hours)

    async def get_version(self, calendar_id: UUID, version: int) -> CalendarVersion:
        """One version of a calendar, as it was. Raises CalendarNotFound."""
        tenant = self._uow.tenant_id
        definition = await self._uow.scalar(
            _VERSION, {"tenant": tenant, "calendar": calendar_id, "version": version}
        )
        if definition is None:
            raise CalendarNotFound
        return CalendarVersion(tenant, calendar_id, version, definition)

    async def _keep_version(self, calendar_id: UUID, version: int, hours: OpeningHours) -> None:
        await self._uow.execute(
            insert(version_table).values(
                tenant_id=self._uow.tenant_id,
                calendar_id=calendar_id,
                version=version,
                definition=hours.model_dump(mode="json"),
                created_at=self._uow.clock.now(),
            )
        )

    async def _one(self, statement: Any, calendar_id: UUID) -> CalendarRead:
        row = await self._uow.one_or_none(
            statement, {"tenant": self._uow.tenant_id, "calendar": calendar_id}
        )
        if row is None:
            raise CalendarNotFound
        return _read(row)


def _read(row: Row[*tuple[Any, ...]]) -> CalendarRead:
    return CalendarRead(
        id=row.id,
        name=row.name,
        is_default=row.is_default,
        hours=OpeningHours.model_validate(row.definition),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
