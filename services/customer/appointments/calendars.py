"""Calendars of staff at secret addresses: who knows the address reads it, without a login.

The address has the shop and 192 bits of chance in it. Only a digest is kept, so it can be told
once, and a new one is made in its place. What lies open in a calendar program names customers by
their code.
"""

import base64
import hashlib
import secrets
from datetime import timedelta
from typing import Final
from uuid import UUID

from services.customer.appointments.calendar_repository import CalendarRepository
from services.customer.appointments.errors import CalendarNotFound, NotYourCalendar
from services.customer.appointments.rendering import calendar_file
from services.customer.appointments.schemas import StaffCalendarCreated, StaffCalendarRead
from services.customer.colleagues.errors import UnknownStaff
from services.customer.colleagues.repository import ColleagueRepository
from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId
from shared.security.sight import Sight

PATH: Final = "/pages/calendars"
_SECRET_BYTES: Final = 24
_PAST: Final = timedelta(days=31)
_COMING: Final = timedelta(days=366)


class CalendarService:
    """The calendars that a caller may give addresses to, and what they show."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        calendars: CalendarRepository,
        colleagues: ColleagueRepository,
        sight: Sight | None,
        public_url: str,
    ) -> None:
        self._uow = uow
        self._calendars = calendars
        self._colleagues = colleagues
        self._sight = sight
        self._base = public_url.rstrip("/") + PATH

    async def open(self, staff_id: UUID) -> StaffCalendarCreated:
        """A new secret address; one given before leads nowhere from now on.

        Raises NotYourCalendar, UnknownStaff.
        """
        self._require(staff_id)
        if not await self._colleagues.is_active(staff_id):
            raise UnknownStaff("/path/staff_id")
        token = _new_token(self._uow.tenant_id)
        created_at = await self._calendars.put(staff_id, _digest(token))
        return StaffCalendarCreated(
            staff_id=staff_id, url=f"{self._base}/{token}.ics", created_at=created_at
        )

    async def get(self, staff_id: UUID) -> StaffCalendarRead:
        """Raises NotYourCalendar, CalendarNotFound."""
        self._require(staff_id)
        found = await self._calendars.find(staff_id)
        if found is None:
            raise CalendarNotFound
        return StaffCalendarRead.model_validate(found._mapping)

    async def close(self, staff_id: UUID) -> None:
        """Let the address lead nowhere. Raises NotYourCalendar, CalendarNotFound."""
        self._require(staff_id)
        if not await self._calendars.remove(staff_id):
            raise CalendarNotFound

    async def render(self, token: str) -> bytes:
        """What the calendar at an address shows. Raises CalendarNotFound."""
        staff_id = await self._calendars.find_staff(_digest(token))
        if staff_id is None:
            raise CalendarNotFound
        now = self._uow.clock.now()
        rows = await self._calendars.appointments(staff_id, since=now - _PAST, until=now + _COMING)
        return calendar_file(rows)

    def _require(self, staff_id: UUID) -> None:
        if self._sight is not None and self._sight.staff_id != staff_id:
            raise NotYourCalendar


def _new_token(tenant_id: TenantId) -> str:
    """The shop, as the tokens of all links begin with it, and chance."""
    raw = tenant_id.bytes + secrets.token_bytes(_SECRET_BYTES)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _digest(token: str) -> bytes:
    """Chance of that length needs no salt and no slow hash."""
    return hashlib.sha256(token.encode()).digest()
