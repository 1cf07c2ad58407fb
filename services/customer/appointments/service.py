"""Decisions about appointments."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from services.customer.appointments.errors import (
    AppointmentNotFound,
    PeriodNotValid,
    StaffBooked,
    TransitionNotAllowed,
)
from services.customer.appointments.repository import (
    LONGEST,
    AppointmentFilter,
    AppointmentRepository,
)
from services.customer.appointments.schemas import (
    AppointmentCreate,
    AppointmentPatch,
    AppointmentRead,
    AppointmentStatus,
)
from services.customer.colleagues.errors import UnknownStaff
from services.customer.customers.errors import CustomerNotFound
from services.customer.families.seen import SeenPeople
from services.customer.outcomes.choosing import Outcomes
from services.customer.tasks.following_up import Finished, FollowUps
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import TimelineRepository
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.web.resources import check_version

TRANSITIONS: Final[Mapping[AppointmentStatus, tuple[AppointmentStatus, ...]]] = {
    "planned": ("kept", "missed", "cancelled"),
    "kept": ("missed",),
    "missed": ("kept", "planned"),
    "cancelled": ("planned",),
}
_MOVES: Final = frozenset({"staff_id", "starts_at", "ends_at"})
_WORDS: Final = frozenset({"title", "place", "note"})


class AppointmentService:
    """What clients can do with appointments of customers whom they see."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        appointments: AppointmentRepository,
        people: SeenPeople,
        timeline: TimelineRepository,
    ) -> None:
        self._uow = uow
        self._appointments = appointments
        self._people = people
        self._timeline = timeline

    async def create(
        self, given: AppointmentCreate, *, caller_id: UUID | None
    ) -> Row[*tuple[Any, ...]]:
        """A new planned appointment.

        Raises CustomerNotFound, CustomerIsErased, UnknownStaff, PeriodNotValid, StaffBooked.
        """
        await self._people.unerased(given.customer_id)
        now = self._uow.clock.now()
        columns = {
            **given.model_dump(exclude={"overbook"}),
            "id": new_id(),
            "staff_id": given.staff_id or caller_id,
            "status": "planned",
            "result_code": None,
            "reminder_at": _reminder_at(given.starts_at, given.remind_minutes, now=now),
            "reminded_at": None,
            "created_by": caller_id,
            "created_at": now,
            "updated_at": now,
            "version": 1,
        }
        columns["overbooked"] = await self._book(columns, overbook=given.overbook)
        row = await self._appointments.add(columns)
        await self._tell(row, "planned")
        return row

    async def get(self, appointment_id: UUID) -> Row[*tuple[Any, ...]]:
        """Raises AppointmentNotFound."""
        return await self._seen(await self._appointments.get(appointment_id))

    async def page(
        self, customer_id: UUID | None, wanted: AppointmentFilter, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of appointments as they come: a person's, or all that the caller sees.

        Raises CustomerNotFound.
        """
        if customer_id is None:
            return await self._appointments.page(wanted, request)
        family = await self._people.family(customer_id)
        return await self._appointments.page_of(family.member_ids, wanted, request)

    async def change(
        self, appointment_id: UUID, given: AppointmentPatch, *, expected_version: int | None
    ) -> Row[*tuple[Any, ...]]:
        """The appointment after the change.

        Raises AppointmentNotFound, PreconditionFailed, UnknownStaff, PeriodNotValid, StaffBooked,
        TransitionNotAllowed, OutcomeNotDefined; CustomerIsErased when there are new words.
        """
        before = await self._seen(await self._appointments.get(appointment_id, lock=True))
        check_version(before.version, expected_version)
        said = given.model_dump(exclude_unset=True, exclude={"overbook"})
        changes = {name: new for name, new in said.items() if getattr(before, name) != new}
        if not changes:
            return before
        if _WORDS & changes.keys():
            await self._people.unerased(before.customer_id)
        if "status" in changes and changes["status"] not in TRANSITIONS[before.status]:
            raise TransitionNotAllowed(TRANSITIONS[before.status])
        word = changes.get("result_code")
        await Outcomes(self._uow).check("/body/result_code", "appointment", None, word)
        now = self._uow.clock.now()
        after = {**before._mapping, **changes}
        is_moved = bool(_MOVES & changes.keys())
        if after["status"] == "planned" and (is_moved or "status" in changes):
            changes["overbooked"] = await self._book(after, overbook=given.overbook)
        elif is_moved:
            await self._correct(after, changes.get("staff_id"))
        if {"starts_at", "remind_minutes"} & changes.keys():
            starts_at, minutes = after["starts_at"], after["remind_minutes"]
            changes["reminder_at"] = _reminder_at(starts_at, minutes, now=now)
            changes["reminded_at"] = None
        changes["updated_at"] = now
        row = await self._appointments.save(appointment_id, changes)
        if "status" in changes:
            await self._tell(row, row.status)
        elif is_moved:
            await self._tell(row, "moved")
        if {"status", "result_code"} & changes.keys() and row.status != "planned":
            await self._follow_up(row)
        return row

    async def _book(self, columns: Mapping[str, Any], *, overbook: bool) -> bool:
        """Whether the staff have another appointment then, which only `overbook` allows."""
        starts_at, ends_at = columns["starts_at"], columns["ends_at"]
        _require_period(starts_at, ends_at)
        staff_id = columns["staff_id"]
        if staff_id is None:
            return False
        await self._lock_staff(staff_id)
        others = await self._appointments.at_the_same_time(
            columns["id"], staff_id, starts_at, ends_at
        )
        if others and not overbook:
            raise StaffBooked(others)
        return bool(others)

    async def _correct(self, columns: Mapping[str, Any], staff_id: UUID | None) -> None:
        """Require what any appointment needs of one that is planned no more; it takes no time."""
        _require_period(columns["starts_at"], columns["ends_at"])
        if staff_id is not None:
            await self._lock_staff(staff_id)

    async def _lock_staff(self, staff_id: UUID) -> None:
        if not await self._appointments.lock_staff(staff_id):
            raise UnknownStaff("/body/staff_id")

    async def _follow_up(self, row: Row[*tuple[Any, ...]]) -> None:
        finished = Finished(
            id=row.id,
            subject="appointment",
            kind=None,
            word=row.result_code,
            customer_id=row.customer_id,
            staff_id=row.staff_id,
        )
        await FollowUps(self._uow).after(finished)

    async def _seen(self, row: Row[*tuple[Any, ...]]) -> Row[*tuple[Any, ...]]:
        try:
            await self._people.family(row.customer_id)
        except CustomerNotFound as error:
            raise AppointmentNotFound from error
        return row

    async def _tell(self, row: Row[*tuple[Any, ...]], what: str) -> None:
        entry = Entry(
            customer_id=row.customer_id,
            type=f"appointment.{what}",
            occurred_at=row.updated_at,
            data={
                "appointment_id": str(row.id),
                "title": row.title,
                "staff_id": str(row.staff_id) if row.staff_id else None,
                "starts_at": row.starts_at.isoformat(),
            },
        )
        await self._timeline.add([entry])


def described(row: Row[*tuple[Any, ...]]) -> AppointmentRead:
    """An appointment as clients read it."""
    allowed = list(TRANSITIONS[row.status])
    return AppointmentRead.model_validate({**row._mapping, "allowed_transitions": allowed})


def _require_period(starts_at: datetime, ends_at: datetime) -> None:
    if not starts_at < ends_at <= starts_at + LONGEST:
        raise PeriodNotValid


def _reminder_at(starts_at: datetime, minutes: int | None, *, now: datetime) -> datetime | None:
    """When to remind; never of what has begun already."""
    if minutes is None or starts_at <= now:
        return None
    return starts_at - timedelta(minutes=minutes)
