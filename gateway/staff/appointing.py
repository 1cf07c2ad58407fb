"""Who may give a role, or deal with somebody who has it."""

from uuid import UUID

from gateway.access.scopes import Role
from gateway.roles.errors import RoleNotGrantable
from gateway.roles.granting import check_grantable
from gateway.staff.record import StaffRecord
from gateway.staff.repository import StaffRepository
from shared.security.principal import Principal, PrincipalKind


class Appointing:
    """What one caller may do with members of staff."""

    def __init__(self, *, principal: Principal, staff: StaffRepository) -> None:
        self._principal = principal
        self._staff = staff

    async def check_may_touch(self, member: StaffRecord) -> None:
        """Raises RoleNotGrantable when the caller has less than the member has, or is to have."""
        check_grantable(
            self._principal,
            member.role_ref,
            scopes=member.scopes,
            visibility=member.visibility,
        )
        if member.role is Role.OWNER and not await self._speaks_for_owners():
            raise RoleNotGrantable(member.role_ref, ())

    async def hold(self, staff_id: UUID) -> None:
        """Keep a member whom the caller may touch from changing until the end.

        Raises StaffNotFound, RoleNotGrantable.
        """
        await self.check_may_touch(await self._staff.lock(staff_id))

    async def _speaks_for_owners(self) -> bool:
        """Only owners, and the operator who runs the installation, deal with owners."""
        if self._principal.kind is PrincipalKind.STAFF:
            return (await self._staff.get(UUID(self._principal.actor_id))).role is Role.OWNER
        return self._principal.kind is PrincipalKind.SYSTEM
