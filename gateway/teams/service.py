"""Decisions about teams, whose members see each other's work when their role says `team`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol
from uuid import UUID

from gateway.teams.errors import TeamNotYours, TooManyTeams
from gateway.teams.record import Membership, TeamRecord
from gateway.teams.repository import TeamRepository
from gateway.teams.schemas import TeamCreate, TeamPatch
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.security.principal import Principal, Visibility
from shared.text import search_key
from shared.web.resources import check_version

MOST_TEAMS: Final = 20


class Appointing(Protocol):
    """What the teams need of who may deal with whom."""

    async def hold(self, staff_id: UUID) -> None:
        """Keep a member whom the caller may touch from changing until the end.

        Raises StaffNotFound, RoleNotGrantable.
        """
        ...


class Colleagues(Protocol):
    """What the teams need of the staff, which in turn knows the teams."""

    async def tell_of(self, staff_ids: Sequence[UUID]) -> None:
        """Tell the services that what these members may do or see has changed."""
        ...


class TeamService:
    """What a shop does with its teams."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        principal: Principal,
        teams: TeamRepository,
        appointing: Appointing,
        colleagues: Colleagues,
    ) -> None:
        self._uow = uow
        self._principal = principal
        self._teams = teams
        self._appointing = appointing
        self._colleagues = colleagues

    async def create(self, given: TeamCreate) -> TeamRecord:
        """A new team without members. Raises TeamNameTaken."""
        now = self._uow.clock.now()
        record = TeamRecord(
            id=new_id(),
            name=given.name,
            name_key=search_key(given.name),
            description=given.description,
            created_at=now,
            updated_at=now,
            version=1,
        )
        await self._teams.add(record)
        return record

    async def get(self, team_id: UUID) -> TeamRecord:
        """Raises TeamNotFound."""
        return await self._teams.get(team_id)

    async def list_newest(self, request: PageRequest) -> tuple[Sequence[TeamRecord], str | None]:
        """A page of teams."""
        return await self._teams.list_newest(request)

    async def change(
        self, team_id: UUID, given: TeamPatch, *, expected_version: int | None
    ) -> TeamRecord:
        """The team after the change. Raises TeamNotFound, PreconditionFailed, TeamNameTaken."""
        before = await self._teams.lock(team_id)
        check_version(before.version, expected_version)
        name = given.name or before.name
        cleared = "description" in given.model_fields_set
        after = replace(
            before,
            name=name,
            name_key=search_key(name),
            description=given.description if cleared else before.description,
            updated_at=self._uow.clock.now(),
            version=before.version + 1,
        )
        await self._teams.save(after)
        return after

    async def delete(self, team_id: UUID) -> None:
        """Dissolve a team. Raises TeamNotFound, TeamNotYours, RoleNotGrantable."""
        await self._lock_to_fill(team_id)
        members = await self._teams.member_ids(team_id)
        for staff_id in members:
            await self._appointing.hold(staff_id)
        await self._teams.delete(team_id)
        await self._colleagues.tell_of(members)

    async def list_members(
        self, team_id: UUID, request: PageRequest
    ) -> tuple[Sequence[Membership], str | None]:
        """A page of members. Raises TeamNotFound."""
        await self._teams.get(team_id)
        return await self._teams.list_members(team_id, request)

    async def put_member(self, team_id: UUID, staff_id: UUID) -> Membership:
        """Have somebody in a team, who may be there already.

        Raises TeamNotFound, TeamNotYours, StaffNotFound, RoleNotGrantable, TooManyTeams.
        """
        await self._lock_to_fill(team_id)
        await self._appointing.hold(staff_id)
        present = await self._teams.find_member(team_id, staff_id)
        if present is not None:
            return present
        if await self._teams.count_of(staff_id) >= MOST_TEAMS:
            raise TooManyTeams
        joining = Membership(team_id, staff_id, self._uow.clock.now())
        await self._teams.join(joining)
        await self._colleagues.tell_of([staff_id])
        return joining

    async def remove_member(self, team_id: UUID, staff_id: UUID) -> None:
        """Take somebody out of a team, where they may not be.

        Raises TeamNotFound, TeamNotYours, RoleNotGrantable.
        """
        await self._lock_to_fill(team_id)
        if await self._teams.find_member(team_id, staff_id) is None:
            return
        await self._appointing.hold(staff_id)
        await self._teams.leave(team_id, staff_id)
        await self._colleagues.tell_of([staff_id])

    async def _lock_to_fill(self, team_id: UUID) -> None:
        """Keep a team, and who is in it, from being changed by others until the end."""
        await self._teams.lock(team_id)
        caller = self._principal
        if caller.visibility is not Visibility.ALL and team_id not in caller.team_ids:
            raise TeamNotYours
