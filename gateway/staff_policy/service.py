"""Deciding for all staff at once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol
from uuid import UUID

from gateway.access.scopes import Role
from gateway.roles.errors import UnknownRole
from gateway.roles.record import built_in
from gateway.roles.repository import RoleRepository
from gateway.staff_policy.record import StaffPolicy
from gateway.staff_policy.repository import StaffPolicyRepository
from gateway.staff_policy.schemas import StaffPolicyPatch
from shared.db.unit_of_work import UnitOfWork
from shared.security.principal import Visibility
from shared.web.resources import check_version


class RoleMembers(Protocol):
    """What the policy needs of the staff, which in turn obeys it."""

    async def with_built_in_role(self, role: Role) -> Sequence[UUID]:
        """Everybody who has a built-in role, active or not."""
        ...

    async def with_role(self, role_id: UUID) -> Sequence[UUID]:
        """Everybody who has a role of the shop's own, active or not."""
        ...

    async def feel_change(self, staff_ids: Sequence[UUID]) -> None:
        """Have what the members may do looked up anew, here at once."""
        ...

    async def tell_of(self, staff_ids: Sequence[UUID]) -> None:
        """Tell the services that what these members may do or see has changed."""
        ...


class StaffPolicyService:
    """What a shop decides for its staff."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        policies: StaffPolicyRepository,
        roles: RoleRepository,
        members: RoleMembers,
    ) -> None:
        self._uow = uow
        self._policies = policies
        self._roles = roles
        self._members = members

    async def get(self) -> StaffPolicy:
        """The policy in force."""
        return await self._policies.get()

    async def change(self, given: StaffPolicyPatch, *, expected_version: int | None) -> StaffPolicy:
        """The policy after the change. Raises PreconditionFailed, UnknownRole, LostRace."""
        before = await self._policies.get()
        check_version(before.version, expected_version)
        after = replace(
            before,
            visibility=_changed(before.visibility, given),
            second_factor_for=(
                before.second_factor_for
                if given.second_factor_for is None
                else await self._known(given.second_factor_for)
            ),
            updated_at=self._uow.clock.now(),
            version=before.version + 1,
        )
        await self._policies.save(after)
        for role in Role:
            if before.visibility.get(role) != after.visibility.get(role):
                members = await self._members.with_built_in_role(role)
                await self._members.tell_of(members)
        for ref in sorted(before.second_factor_for ^ after.second_factor_for):
            await self._members.feel_change(await self._with_role(ref))
        return after

    async def _with_role(self, ref: str) -> Sequence[UUID]:
        role = built_in(ref)
        if role is not None:
            return await self._members.with_built_in_role(role)
        return await self._members.with_role(UUID(ref))

    async def _known(self, refs: Sequence[str]) -> frozenset[str]:
        for ref in refs:
            if built_in(ref) is None and await self._roles.hold(UUID(ref)) is None:
                raise UnknownRole
        return frozenset(refs)


def _changed(
    before: Mapping[Role, Visibility], given: StaffPolicyPatch
) -> Mapping[Role, Visibility]:
    if given.visibility is None:
        return before
    wanted = given.visibility.model_dump(exclude_none=True)
    return {**before, **{Role(role): Visibility(sees) for role, sees in wanted.items()}}
