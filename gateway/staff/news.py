"""Telling the services of members of staff, whatever it was that changed about them."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from gateway.access.scopes import Role
from gateway.staff.record import StaffRecord
from gateway.staff.repository import StaffRepository
from shared.contracts.gateway import StaffChanged
from shared.db.unit_of_work import UnitOfWork


class Sessions(Protocol):
    """What the news needs of the sessions, which in turn know the staff."""

    async def feel_change(self, *staff_ids: UUID) -> None:
        """Have what the members may do looked up anew, here at once."""
        ...


class StaffNews:
    """What roles, teams and the staff policy do with the staff they are about."""

    def __init__(self, *, uow: UnitOfWork, sessions: Sessions) -> None:
        self._uow = uow
        self._staff = StaffRepository(uow)
        self._sessions = sessions

    async def with_role(self, role_id: UUID) -> Sequence[UUID]:
        """Everybody who has a role of the shop's own, active or not."""
        return await self._staff.with_role(role_id)

    async def with_built_in_role(self, role: Role) -> Sequence[UUID]:
        """Everybody who has a built-in role, active or not."""
        return await self._staff.with_built_in_role(role)

    async def feel_change(self, staff_ids: Sequence[UUID]) -> None:
        """Have what the members may do looked up anew, here at once."""
        await self._sessions.feel_change(*staff_ids)

    async def tell_of(self, staff_ids: Sequence[UUID]) -> None:
        """Give the members a new version, and tell sessions and services what they are like now."""
        if not staff_ids:
            return
        await self._staff.give_new_version(staff_ids, now=self._uow.clock.now())
        for record in await self._staff.list_by_ids(staff_ids):
            tell(self._uow, record)
        await self._sessions.feel_change(*staff_ids)


def tell(uow: UnitOfWork, record: StaffRecord) -> None:
    """Tell the services of a member who was written."""
    uow.append(StaffChanged(staff=record.state()), key=record.id)
