"""The staff policy as clients write and read it."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field

from gateway.access.scopes import Role
from gateway.roles.record import RoleRef
from gateway.staff_policy.record import StaffPolicy
from shared.bodies import Body
from shared.security.principal import Visibility
from shared.web.patches import NeverNull

_SEES = "Whose tickets, tasks and customers the built-in roles see"
_CODES = "Roles whose members need a second factor; without one they can only set it up"


class VisibilityByRole(Body):
    """Whose work the members of each built-in role see."""

    manager: Visibility = Visibility.ALL
    agent: Visibility = Visibility.ALL
    analyst: Visibility = Visibility.ALL


class VisibilityByRolePatch(Body):
    """A change: what is absent stays as it is. Owners and admins see everything."""

    manager: Annotated[Visibility | None, NeverNull()] = None
    agent: Annotated[Visibility | None, NeverNull()] = None
    analyst: Annotated[Visibility | None, NeverNull()] = None


class StaffPolicyPatch(Body):
    """A change: what is absent stays as it is."""

    visibility: Annotated[VisibilityByRolePatch | None, NeverNull()] = Field(
        default=None, description=_SEES
    )
    second_factor_for: Annotated[
        Annotated[list[RoleRef], Field(max_length=100)] | None, NeverNull()
    ] = Field(default=None, description=_CODES, examples=[["owner", "admin"]])


class StaffPolicyRead(BaseModel):
    """What the shop has decided for all its staff."""

    object: Literal["staff_policy"] = "staff_policy"
    visibility: VisibilityByRole = Field(description=_SEES)
    second_factor_for: list[str] = Field(description=_CODES, examples=[["owner", "admin"]])
    updated_at: datetime | None = Field(description="null while nothing was changed")
    version: int

    @classmethod
    def of(cls, policy: StaffPolicy) -> Self:
        """The policy of a record."""
        sees = {
            role.value: policy.visibility.get(role, Visibility.ALL)
            for role in (Role.MANAGER, Role.AGENT, Role.ANALYST)
        }
        return cls(
            visibility=VisibilityByRole(**sees),
            second_factor_for=sorted(policy.second_factor_for),
            updated_at=policy.updated_at,
            version=policy.version,
        )
