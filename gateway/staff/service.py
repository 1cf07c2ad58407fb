"""Decisions about staff: who may appoint whom, and who can still log in."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol
from uuid import UUID

from gateway.access.passwords import Passwords
from gateway.access.scopes import Role, may_appoint
from gateway.directory.directory import Directory
from gateway.staff.errors import LastOwner, RoleNotGrantable
from gateway.staff.record import StaffRecord, email_key
from gateway.staff.repository import StaffRepository
from gateway.staff.schemas import StaffCreate, StaffPatch
from shared.contracts.gateway import StaffChanged
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.security.principal import Principal, PrincipalKind
from shared.web.resources import check_version


class EndsSessions(Protocol):
    """What the staff needs of the sessions, which in turn know the staff."""

    async def end_all(self, staff_id: UUID, *, reason: str) -> None:
        """Log a member of staff out everywhere."""
        ...


class StaffService:
    """What a shop does with its staff."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        principal: Principal,
        staff: StaffRepository,
        sessions: EndsSessions,
        directory: Directory,
        passwords: Passwords,
    ) -> None:
        self._uow = uow
        self._principal = principal
        self._staff = staff
        self._sessions = sessions
        self._directory = directory
        self._passwords = passwords

    async def hire(self, given: StaffCreate) -> StaffRecord:
        """A new member who can log in. Raises StaffEmailTaken, RoleNotGrantable."""
        # Hashing and the directory come first: neither belongs inside the transaction.
        password_hash = await self._passwords.hash(given.password.get_secret_value())
        await self._directory.claim("staff", email_key(given.email), self._uow.tenant_id)
        await self._check_may_appoint(given.role)
        record = new_member(given, password_hash=password_hash, uow=self._uow)
        await self._staff.add(record)
        self._uow.append(StaffChanged(staff=record.state()), key=record.id)
        return record

    async def get(self, staff_id: UUID) -> StaffRecord:
        """Raises StaffNotFound."""
        return await self._staff.get(staff_id)

    async def list_newest(self, request: PageRequest) -> tuple[Sequence[StaffRecord], str | None]:
        """A page of staff."""
        return await self._staff.list_newest(request)

    async def change(
        self, staff_id: UUID, given: StaffPatch, *, expected_version: int | None
    ) -> StaffRecord:
        """The member after the change; a new password or leaving ends their sessions.

        Raises StaffNotFound, PreconditionFailed, RoleNotGrantable, LastOwner.
        """
        password_hash = None
        if given.password is not None:
            password_hash = await self._passwords.hash(given.password.get_secret_value())
        # Owners are locked before anybody, so that two who demote each other wait in line.
        owners = await self._staff.lock_owners()
        before = await self._staff.lock(staff_id)
        check_version(before.version, expected_version)
        await self._check_may_appoint(before.role)
        await self._check_may_appoint(given.role or before.role)
        after = replace(
            before,
            name=given.name or before.name,
            role=given.role or before.role,
            active=before.active if given.active is None else given.active,
            password_hash=password_hash or before.password_hash,
            updated_at=self._uow.clock.now(),
            version=before.version + 1,
        )
        if list(owners) == [staff_id] and not (after.role is Role.OWNER and after.active):
            raise LastOwner
        await self._staff.save(after)
        if password_hash is not None or not after.active or after.role != before.role:
            await self._sessions.end_all(staff_id, reason="staff_changed")
        self._uow.append(StaffChanged(staff=after.state()), key=staff_id)
        return after

    async def _check_may_appoint(self, role: Role) -> None:
        """An API key may appoint as an admin may; staff according to their role."""
        appointer = Role.ADMIN
        if self._principal.kind is PrincipalKind.STAFF:
            appointer = (await self._staff.get(UUID(self._principal.actor_id))).role
        if not may_appoint(appointer, role):
            raise RoleNotGrantable(extensions={"role": role.value})


def new_member(given: StaffCreate, *, password_hash: str, uow: UnitOfWork) -> StaffRecord:
    """The record of a member who starts now."""
    now = uow.clock.now()
    return StaffRecord(
        id=new_id(),
        name=given.name,
        email=given.email,
        email_key=email_key(given.email),
        role=given.role,
        password_hash=password_hash,
        active=True,
        created_at=now,
        updated_at=now,
        version=1,
    )
