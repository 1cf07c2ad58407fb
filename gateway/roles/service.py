"""Decisions about roles: nobody makes a role that can do what they cannot."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol
from uuid import UUID

from gateway.roles.errors import RoleInUse
from gateway.roles.granting import check_grantable
from gateway.roles.record import RoleRecord
from gateway.roles.repository import RoleRepository
from gateway.roles.schemas import RoleCreate, RolePatch
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.security.principal import Principal
from shared.text import search_key
from shared.web.resources import check_version


class Holders(Protocol):
    """What the roles need of the staff, which in turn knows the roles."""

    async def with_role(self, role_id: UUID) -> Sequence[UUID]:
        """Everybody who has a role, active or not."""
        ...

    async def tell_of(self, staff_ids: Sequence[UUID]) -> None:
        """Tell the services that what these members may do or see has changed."""
        ...


class RoleService:
    """What a shop does with its own roles."""

    def __init__(
        self, *, uow: UnitOfWork, principal: Principal, roles: RoleRepository, holders: Holders
    ) -> None:
        self._uow = uow
        self._principal = principal
        self._roles = roles
        self._holders = holders

    async def create(self, given: RoleCreate) -> RoleRecord:
        """A new role. Raises RoleNameTaken, RoleNotGrantable."""
        now = self._uow.clock.now()
        record = RoleRecord(
            id=new_id(),
            name=given.name,
            name_key=search_key(given.name),
            description=given.description,
            scopes=frozenset(given.scopes),
            visibility=given.visibility,
            created_at=now,
            updated_at=now,
            version=1,
        )
        self._check_has(record)
        await self._roles.add(record)
        return record

    async def get(self, role_id: UUID) -> RoleRecord:
        """Raises RoleNotFound."""
        return await self._roles.get(role_id)

    async def list_newest(self, request: PageRequest) -> tuple[Sequence[RoleRecord], str | None]:
        """A page of roles."""
        return await self._roles.list_newest(request)

    async def change(
        self, role_id: UUID, given: RolePatch, *, expected_version: int | None
    ) -> RoleRecord:
        """The role after the change, which its members feel within seconds.

        Raises RoleNotFound, PreconditionFailed, RoleNotGrantable, RoleNameTaken.
        """
        before = await self._roles.lock(role_id)
        check_version(before.version, expected_version)
        name = given.name or before.name
        after = replace(
            before,
            name=name,
            name_key=search_key(name),
            description=(
                given.description if "description" in given.model_fields_set else before.description
            ),
            scopes=before.scopes if given.scopes is None else frozenset(given.scopes),
            visibility=given.visibility or before.visibility,
            updated_at=self._uow.clock.now(),
            version=before.version + 1,
        )
        # Who lacks what a role has today must not touch it either, not even to take things away.
        self._check_has(before)
        self._check_has(after)
        await self._roles.save(after)
        if (after.scopes, after.visibility) != (before.scopes, before.visibility):
            await self._holders.tell_of(await self._holders.with_role(role_id))
        return after

    async def delete(self, role_id: UUID) -> None:
        """Give a role up that nobody has. Raises RoleNotFound, RoleInUse, RoleNotGrantable."""
        record = await self._roles.lock(role_id)
        self._check_has(record)
        if await self._holders.with_role(role_id):
            raise RoleInUse
        await self._roles.delete(role_id)

    def _check_has(self, record: RoleRecord) -> None:
        check_grantable(
            self._principal,
            str(record.id),
            scopes=record.scopes,
            visibility=record.visibility,
        )
