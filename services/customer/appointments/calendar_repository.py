"""SQL of the calendars of staff."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import LargeBinary, Row, Uuid, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from services.customer.appointments.models import appointment, calendar_feed
from services.customer.colleagues.models import colleague
from services.customer.customers.models import customer
from shared.db.aliases import stands_for
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

_MOST_IN_A_CALENDAR: Final = 2000

_TENANT: Final = bindparam("tenant", type_=Uuid)
_STAFF: Final = bindparam("staff", type_=Uuid)
_FROM: Final = bindparam("from_at", type_=Instant)
_UNTIL: Final = bindparam("until_at", type_=Instant)
_record, _root = customer.alias("record"), customer.alias("root")
_new_feed = insert(calendar_feed)
_PUT_FEED: Final = _new_feed.on_conflict_do_update(
    index_elements=["tenant_id", "staff_id"],
    set_={name: _new_feed.excluded[name] for name in ("digest", "created_at")},
)
_FEED: Final = select(calendar_feed.c.staff_id, calendar_feed.c.created_at).where(
    calendar_feed.c.tenant_id == _TENANT, calendar_feed.c.staff_id == _STAFF
)
_FEED_BY_DIGEST: Final = (
    select(calendar_feed.c.staff_id)
    .join(
        colleague,
        (colleague.c.tenant_id == _TENANT) & (colleague.c.id == calendar_feed.c.staff_id),
    )
    .where(
        calendar_feed.c.tenant_id == _TENANT,
        calendar_feed.c.digest == bindparam("digest", type_=LargeBinary),
        colleague.c.active.is_(True),
    )
)
_REMOVE_FEED: Final = delete(calendar_feed).where(
    calendar_feed.c.tenant_id == _TENANT, calendar_feed.c.staff_id == _STAFF
)
_OF_STAFF: Final = (
    select(appointment, _root.c.code.label("customer_code"))
    .select_from(appointment)
    .join(
        _record,
        (_record.c.tenant_id == _TENANT) & (_record.c.id == appointment.c.customer_id),
    )
    .join(
        _root,
        (_root.c.tenant_id == _TENANT) & (_root.c.id == stands_for(_record)),
    )
    .where(
        appointment.c.tenant_id == _TENANT,
        appointment.c.staff_id == _STAFF,
        appointment.c.starts_at >= _FROM,
        appointment.c.starts_at < _UNTIL,
    )
    .order_by(appointment.c.starts_at, appointment.c.id)
    .limit(_MOST_IN_A_CALENDAR)
)


class CalendarRepository:
    """The calendars of staff, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def put(self, staff_id: UUID, digest: bytes) -> datetime:
        """Give a calendar a (new) address; an old one leads nowhere from now on. When it was."""
        now = self._uow.clock.now()
        row = {"tenant_id": self._uow.tenant_id, "staff_id": staff_id}
        await self._uow.execute(_PUT_FEED, {**row, "digest": digest, "created_at": now})
        return now

    async def find(self, staff_id: UUID) -> Row[*tuple[Any, ...]] | None:
        """The calendar of a member of staff, if it has an address."""
        return await self._uow.one_or_none(_FEED, {**self._tenant, "staff": staff_id})

    async def remove(self, staff_id: UUID) -> bool:
        """Take a calendar its address; False when it has none."""
        named = {**self._tenant, "staff": staff_id}
        return bool(await self._uow.execute(_REMOVE_FEED, named))

    async def find_staff(self, digest: bytes) -> UUID | None:
        """Whose calendar an address leads to, while they work here."""
        found: UUID | None = await self._uow.scalar(
            _FEED_BY_DIGEST, {**self._tenant, "digest": digest}
        )
        return found

    async def appointments(
        self, staff_id: UUID, *, since: datetime, until: datetime
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """What somebody's calendar shows, each with the code of the customer."""
        wanted = {"staff": staff_id, "from_at": since, "until_at": until}
        return await self._uow.rows(_OF_STAFF, {**self._tenant, **wanted})
