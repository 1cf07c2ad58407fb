"""Decisions about staff: who may appoint whom, and who can still log in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from gateway.access.passwords import NO_PASSWORD, Passwords
from gateway.access.scopes import Role, resembles
from gateway.directory.directory import Directory
from gateway.roles.errors import UnknownRole
from gateway.roles.record import built_in
from gateway.roles.repository import RoleRepository
from gateway.staff.appointing import Appointing
from gateway.staff.errors import LastOwner
from gateway.staff.news import tell
from gateway.staff.record import CustomRole, StaffRecord, email_key
from gateway.staff.repository import StaffRepository
from gateway.staff.schemas import StaffCreate, StaffPatch
from gateway.staff_policy.repository import StaffPolicyRepository
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.web.resources import check_version


class Sessions(Protocol):
    """What the staff needs of the sessions, which in turn know the staff."""

    async def end_all(self, staff_id: UUID, *, reason: str) -> None:
        """Log a member of staff out everywhere."""
        ...

    async def feel_change(self, *staff_ids: UUID) -> None:
        """Have what the members may do looked up anew, here at once."""
        ...


class Invitations(Protocol):
    """What the staff needs of those who write to people."""

    async def invite(self, member: StaffRecord) -> None:
        """Send a member a link by which they choose a password."""
        ...

    async def withdraw(self, staff_id: UUID) -> None:
        """No link that a member was sent is good any more."""
        ...


@dataclass(frozen=True, slots=True)
class _Post:
    """A role as it is given."""

    role: Role
    role_id: UUID | None = None
    custom: CustomRole | None = None


class StaffService:
    """What a shop does with its staff."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        appointing: Appointing,
        staff: StaffRepository,
        roles: RoleRepository,
        policies: StaffPolicyRepository,
        sessions: Sessions,
        invitations: Invitations,
        directory: Directory,
        passwords: Passwords,
    ) -> None:
        self._uow = uow
        self._appointing = appointing
        self._staff = staff
        self._roles = roles
        self._policies = policies
        self._sessions = sessions
        self._invitations = invitations
        self._directory = directory
        self._passwords = passwords

    async def hire(self, given: StaffCreate) -> StaffRecord:
        """A new member, who can log in or is invited to choose a password.

        Raises StaffEmailTaken, UnknownRole, RoleNotGrantable, WeakPassword.
        """
        # Hashing and the directory come first: neither belongs inside the transaction.
        password_hash = NO_PASSWORD
        if given.password is not None:
            about = (given.name, given.email)
            password_hash = await self._passwords.choose(
                given.password.get_secret_value(), about=about
            )
        await self._directory.claim("staff", email_key(given.email), self._uow.tenant_id)
        post = await self._post(given.role)
        record = replace(
            new_member(given, role=post.role, password_hash=password_hash, uow=self._uow),
            role_id=post.role_id,
            custom=post.custom,
            policy=await self._policies.get(),
        )
        await self._appointing.check_may_touch(record)
        await self._staff.add(record)
        tell(self._uow, record)
        if given.password is None:
            await self._invitations.invite(record)
        return record

    async def get(self, staff_id: UUID) -> StaffRecord:
        """Raises StaffNotFound."""
        return await self._staff.get(staff_id)

    async def list_newest(
        self, request: PageRequest, *, team_id: UUID | None = None
    ) -> tuple[Sequence[StaffRecord], str | None]:
        """A page of staff, or of those in a team."""
        return await self._staff.list_newest(request, team_id=team_id)

    async def change(
        self, staff_id: UUID, given: StaffPatch, *, expected_version: int | None
    ) -> StaffRecord:
        """The member after the change; a new password or leaving ends their sessions and links.

        Raises StaffNotFound, PreconditionFailed, UnknownRole, RoleNotGrantable, LastOwner,
        WeakPassword.
        """
        password_hash = await self._chosen(staff_id, given)
        # Owners are locked before anybody, so that two who demote each other wait in line.
        owners = await self._staff.lock_owners()
        before = await self._staff.lock(staff_id)
        check_version(before.version, expected_version)
        after = await self._changed(before, given, password_hash)
        await self._appointing.check_may_touch(before)
        await self._appointing.check_may_touch(after)
        if list(owners) == [staff_id] and not (after.role is Role.OWNER and after.active):
            raise LastOwner
        await self._staff.save(after)
        if password_hash is not None or not after.active:
            await self._sessions.end_all(staff_id, reason="staff_changed")
            await self._invitations.withdraw(staff_id)
        else:
            await self._sessions.feel_change(staff_id)
        tell(self._uow, after)
        return after

    async def invite_again(self, staff_id: UUID) -> None:
        """Send a member a new link to a password. Raises StaffNotFound, RoleNotGrantable."""
        member = await self._staff.lock(staff_id)
        await self._appointing.check_may_touch(member)
        await self._invitations.invite(member)

    async def _chosen(self, staff_id: UUID, given: StaffPatch) -> str | None:
        if given.password is None:
            return None
        member = await self._staff.get(staff_id)
        about = (given.name or member.name, member.email)
        return await self._passwords.choose(given.password.get_secret_value(), about=about)

    async def _changed(
        self, before: StaffRecord, given: StaffPatch, password_hash: str | None
    ) -> StaffRecord:
        post = _Post(before.role, before.role_id, before.custom)
        if given.role is not None:
            post = await self._post(given.role)
        overridden = "visibility" in given.model_fields_set
        return replace(
            before,
            name=given.name or before.name,
            role=post.role,
            role_id=post.role_id,
            custom=post.custom,
            own_visibility=given.visibility if overridden else before.own_visibility,
            active=before.active if given.active is None else given.active,
            password_hash=password_hash or before.password_hash,
            updated_at=self._uow.clock.now(),
            version=before.version + 1,
        )

    async def _post(self, ref: str) -> _Post:
        """The role of a reference, which stays while it is given. Raises UnknownRole."""
        role = built_in(ref)
        if role is not None:
            return _Post(role)
        record = await self._roles.hold(UUID(ref))
        if record is None:
            raise UnknownRole
        custom = CustomRole(record.scopes, record.visibility)
        return _Post(resembles(record.scopes), record.id, custom)


def new_member(
    given: StaffCreate, *, role: Role, password_hash: str, uow: UnitOfWork
) -> StaffRecord:
    """The record of a member who starts now, with a built-in role."""
    now = uow.clock.now()
    return StaffRecord(
        id=new_id(),
        name=given.name,
        email=given.email,
        email_key=email_key(given.email),
        role=role,
        own_visibility=given.visibility,
        password_hash=password_hash,
        active=True,
        created_at=now,
        updated_at=now,
        version=1,
    )
