"""SQL of appointments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Row,
    Select,
    Uuid,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from services.customer.appointments.errors import AppointmentNotFound
from services.customer.appointments.models import appointment
from services.customer.colleagues.models import colleague
from services.customer.colleagues.repository import COLLEAGUES
from services.customer.customers.models import customer
from services.customer.families.seen import person_is_seen
from shared.db.aliases import stands_for
from shared.db.merged import Source, merged_page
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.rows import RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

IN_TIME: Final = (
    SortKey(appointment.c.starts_at, "starts_at", parse_instant),
    SortKey(appointment.c.id, "id", parse_id),
)
LONGEST: Final = timedelta(days=1)

_TENANT: Final = bindparam("tenant", type_=Uuid)
_VIEWER: Final = bindparam("viewer", type_=Uuid)
_STAFF: Final = bindparam("staff", type_=Uuid)
_MEMBERS: Final = bindparam("members", type_=ARRAY(Uuid))
_FROM: Final = bindparam("from_at", type_=Instant)
_UNTIL: Final = bindparam("until_at", type_=Instant)
_ADD: Final = insert(appointment).returning(*appointment.c)
_BY_ID: Final = select(appointment).where(
    appointment.c.tenant_id == _TENANT, appointment.c.id == bindparam("id", type_=Uuid)
)
_LOCK: Final = _BY_ID.with_for_update()
# Bookings of one member of staff wait for each other here, so that no two see the same gap.
_LOCK_STAFF: Final = (
    select(colleague.c.id)
    .where(colleague.c.tenant_id == _TENANT, colleague.c.id == _STAFF, colleague.c.active.is_(True))
    .with_for_update()
)
# None is longer than a day, so only those of the day before can reach into the period.
_AT_THE_SAME_TIME: Final = (
    select(appointment.c.id)
    .where(
        appointment.c.tenant_id == _TENANT,
        appointment.c.staff_id == _STAFF,
        appointment.c.status == "planned",
        appointment.c.starts_at > bindparam("earliest", type_=Instant),
        appointment.c.starts_at < _UNTIL,
        appointment.c.ends_at > _FROM,
        appointment.c.id != bindparam("id", type_=Uuid),
    )
    .order_by(appointment.c.starts_at)
    .limit(10)
)
# As the partial index has it.
_due = (
    select(appointment.c.id)
    .where(
        appointment.c.tenant_id == _TENANT,
        appointment.c.status == literal_column("'planned'"),
        appointment.c.reminder_at.is_not(None),
        appointment.c.reminded_at.is_(None),
        appointment.c.reminder_at <= bindparam("now", type_=Instant),
    )
    .order_by(appointment.c.reminder_at)
    .limit(bindparam("at_most", type_=Integer))
    .with_for_update(skip_locked=True)
    .cte("due")
    .prefix_with("MATERIALIZED")
)
_IS_AHEAD: Final = appointment.c.starts_at > bindparam("now", type_=Instant)
# What has begun leaves the index as well: else every sweep would look at it again.
_TAKE_REMINDERS: Final = (
    update(appointment)
    .values(
        reminder_at=case((_IS_AHEAD, appointment.c.reminder_at)),
        reminded_at=case((_IS_AHEAD, bindparam("now", type_=Instant))),
    )
    .where(appointment.c.tenant_id == _TENANT, appointment.c.id == _due.c.id)
    .returning(*appointment.c)
)
_IS_COMING: Final = (
    appointment.c.tenant_id == _TENANT,
    appointment.c.status == literal_column("'planned'"),
    appointment.c.staff_id == _STAFF,
    appointment.c.starts_at > bindparam("earliest", type_=Instant),
    appointment.c.ends_at > bindparam("now", type_=Instant),
)
_COMING_OF: Final = (
    select(appointment.c.id)
    .where(*_IS_COMING)
    .order_by(appointment.c.starts_at, appointment.c.id)
    .limit(bindparam("at_most", type_=Integer))
)


def _hand_over(key: Literal["id", "customer_id"]) -> Any:
    """Appointments of somebody get the staff that is given for what they are known by.

    Nobody is asked whether they have time: what overlaps with what they have is overbooked, and of
    two that come together the one that was made later.
    """
    heirs = RowsParameter("heir", appointment, (key, "staff_id"))
    taken = (
        select(appointment.c.id, heirs.source.c.staff_id)
        .join_from(appointment, heirs.source, appointment.c[key] == heirs.source.c[key])
        .where(*_IS_COMING)
        .order_by(appointment.c.id)
        .with_for_update(of=appointment)
        .cte("taken")
        .prefix_with("MATERIALIZED")
    )
    other, along = appointment.alias("other"), taken.alias("along")
    is_then = (
        other.c.tenant_id == _TENANT,
        other.c.status == "planned",
        # None is longer than a day.
        other.c.starts_at > appointment.c.starts_at - LONGEST,
        other.c.starts_at < appointment.c.ends_at,
        other.c.ends_at > appointment.c.starts_at,
    )
    they_have_another = (
        select(other.c.id)
        .where(*is_then, other.c.staff_id == taken.c.staff_id, other.c.id != appointment.c.id)
        .correlate(appointment, taken)
        .exists()
    )
    another_comes_along = (
        select(other.c.id)
        .join(along, along.c.id == other.c.id)
        .where(*is_then, along.c.staff_id == taken.c.staff_id, along.c.id < appointment.c.id)
        .correlate(appointment, taken)
        .exists()
    )
    statement = (
        update(appointment)
        .values(
            staff_id=taken.c.staff_id,
            overbooked=or_(they_have_another, another_comes_along),
            updated_at=bindparam("now", type_=Instant),
            version=appointment.c.version + 1,
        )
        .where(appointment.c.tenant_id == _TENANT, appointment.c.id == taken.c.id)
        .returning(appointment.c.id, appointment.c.customer_id, appointment.c.staff_id)
    )
    return heirs, statement


_HEIRS_OF_CUSTOMERS, _HAND_OVER = _hand_over("customer_id")
_HEIRS_OF_APPOINTMENTS, _HAND_OVER_THESE = _hand_over("id")
_record, _root = customer.alias("record"), customer.alias("root")
_WILLING: Final = (
    select(_record.c.id, _root.c.consents, _root.c.restricted_at)
    .join_from(
        _record,
        _root,
        (_root.c.tenant_id == _TENANT) & (_root.c.id == stands_for(_record)),
    )
    .where(
        _record.c.tenant_id == _TENANT,
        _record.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid))),
    )
)


@dataclass(frozen=True, slots=True)
class AppointmentFilter:
    """Which appointments a client wants; None asks for nothing."""

    status: str | None = None
    staff_id: UUID | None = None
    starts_from: datetime | None = None
    starts_until: datetime | None = None


class AppointmentRepository:
    """Appointments, inside one unit of work."""

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._sight = sight
        self._tenant = {"tenant": uow.tenant_id}

    async def add(self, columns: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The new appointment."""
        return await self._uow.one(_ADD, {"tenant_id": self._uow.tenant_id, **columns})

    async def get(self, appointment_id: UUID, *, lock: bool = False) -> Row[*tuple[Any, ...]]:
        """Raises AppointmentNotFound. Whether its customer is seen is not asked here."""
        statement = _LOCK if lock else _BY_ID
        row = await self._uow.one_or_none(statement, {**self._tenant, "id": appointment_id})
        if row is None:
            raise AppointmentNotFound
        return row

    async def save(self, appointment_id: UUID, changes: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The appointment with these columns changed and its version grown."""
        statement = (
            update(appointment)
            .where(
                appointment.c.tenant_id == self._uow.tenant_id, appointment.c.id == appointment_id
            )
            .values(**changes, version=appointment.c.version + 1)
            .returning(*appointment.c)
        )
        return await self._uow.one(statement)

    async def lock_staff(self, staff_id: UUID) -> bool:
        """Let no one else book this member of staff until the commit; False if nobody's there."""
        named = {**self._tenant, "staff": staff_id}
        return await self._uow.scalar(_LOCK_STAFF, named) is not None

    async def coming_of(self, staff_id: UUID, at_most: int) -> Sequence[UUID]:
        """Some of somebody's planned appointments that are not over, the next first."""
        return await self._uow.scalars(_COMING_OF, {**self._coming(staff_id), "at_most": at_most})

    async def hand_over(
        self, staff_id: UUID, heirs: Mapping[UUID, UUID]
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """What somebody has planned with these records of customers, given to others."""
        rows = [{"customer_id": record, "staff_id": heir} for record, heir in heirs.items()]
        given = {**self._coming(staff_id), **_HEIRS_OF_CUSTOMERS.values(rows)}
        return await self._uow.rows(_HAND_OVER, given) if rows else []

    async def hand_over_these(
        self, staff_id: UUID, heirs: Mapping[UUID, UUID]
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """These appointments given to others, as far as they are coming and still somebody's."""
        rows = [{"id": one, "staff_id": heir} for one, heir in heirs.items()]
        given = {**self._coming(staff_id), **_HEIRS_OF_APPOINTMENTS.values(rows)}
        return await self._uow.rows(_HAND_OVER_THESE, given) if rows else []

    def _coming(self, staff_id: UUID) -> Mapping[str, Any]:
        now = self._uow.clock.now()
        return {**self._tenant, "staff": staff_id, "earliest": now - LONGEST, "now": now}

    async def at_the_same_time(
        self, appointment_id: UUID, staff_id: UUID, starts_at: datetime, ends_at: datetime
    ) -> Sequence[UUID]:
        """Some of the other planned appointments of a locked member of staff in a period."""
        wanted = {
            "staff": staff_id,
            "id": appointment_id,
            "earliest": starts_at - LONGEST,
            "from_at": starts_at,
            "until_at": ends_at,
        }
        return await self._uow.scalars(_AT_THE_SAME_TIME, {**self._tenant, **wanted})

    async def take_reminders(self, *, at_most: int) -> Sequence[Row[*tuple[Any, ...]]]:
        """Planned appointments of which it is time to remind; from now on it is done.

        Of those that have begun already nobody is reminded any more: they have no `reminded_at`.
        """
        now = {"now": self._uow.clock.now(), "at_most": at_most}
        return await self._uow.rows(_TAKE_REMINDERS, {**self._tenant, **now})

    async def willing(self, customer_ids: Sequence[UUID]) -> dict[UUID, Row[*tuple[Any, ...]]]:
        """What the persons whom these records are of have agreed to, and since when it rests."""
        rows = await self._uow.rows(_WILLING, {**self._tenant, "ids": list(customer_ids)})
        return {row.id: row for row in rows}

    async def page_of(
        self, member_ids: Sequence[UUID], wanted: AppointmentFilter, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of a person's appointments as they come, and the next cursor."""
        source = Source(lambda member: appointment.c.customer_id == member, _MEMBERS)
        return await self._read(
            self._merged([source], _conditions(wanted), request),
            {**self._tenant, "members": list(member_ids)},
            request,
        )

    async def page(
        self, wanted: AppointmentFilter, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of the appointments that the caller sees as they come, and the next cursor."""
        where = _conditions(wanted)
        if self._sight is None:
            everything = page(select(appointment).where(*where), IN_TIME, request)
            return await self._read(everything, self._tenant, request)
        of_teams, staff = self._sight.of_teams, appointment.c.staff_id
        theirs = (
            Source(lambda staff_id: staff == staff_id, COLLEAGUES)
            if of_teams
            else Source(lambda _: staff == _VIEWER)
        )
        seen = person_is_seen(appointment.c.customer_id, of_teams=of_teams)
        statement = self._merged([theirs], [*where, seen], request)
        return await self._read(statement, {**self._tenant, **self._sight.parameters()}, request)

    def _merged(
        self,
        sources: Sequence[Source],
        where: Sequence[ColumnElement[bool]],
        request: PageRequest,
    ) -> Select[Any]:
        columns = list(appointment.c)
        return merged_page(
            appointment, columns, sources, where=where, order=IN_TIME, request=request
        )

    async def _read(
        self, statement: Select[Any], parameters: Mapping[str, Any], request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        rows = await self._uow.rows(statement, parameters)
        return next_cursor(rows, IN_TIME, request.limit)


def _conditions(wanted: AppointmentFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [appointment.c.tenant_id == _TENANT]
    if wanted.status is not None:
        conditions.append(appointment.c.status == wanted.status)
    if wanted.staff_id is not None:
        conditions.append(appointment.c.staff_id == wanted.staff_id)
    if wanted.starts_from is not None:
        conditions.append(appointment.c.starts_at >= wanted.starts_from)
    if wanted.starts_until is not None:
        conditions.append(appointment.c.starts_at < wanted.starts_until)
    return conditions
