"""Staff as clients write and read them."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, EmailStr, Field, SecretStr

from gateway.access.password_policy import MAX_LENGTH, MIN_LENGTH
from gateway.roles.record import RoleRef
from gateway.staff.record import StaffRecord
from shared.bodies import Body
from shared.security.principal import Visibility
from shared.text import Name
from shared.web.patches import NeverNull

Email = Annotated[EmailStr, Field(max_length=254, examples=["lan@example.com"])]
Password = Annotated[
    SecretStr,
    Field(
        min_length=MIN_LENGTH,
        max_length=MAX_LENGTH,
        examples=["mot-hai-ba-bon-nam"],
        description="Hard to guess: not common, not made of the name or the address",
    ),
]
_SEES = "Whose tickets, tasks and customers the member sees; null: what the role says"


class StaffCreate(Body):
    """A new member of staff."""

    name: Name = Field(examples=["Trần Thị Lan"])
    email: Email
    password: Password | None = Field(
        default=None,
        description="Without one the member gets an e-mail with a link to choose it",
    )
    role: RoleRef = "agent"
    visibility: Visibility | None = Field(default=None, description=_SEES)


class StaffPatch(Body):
    """A change: what is absent stays as it is."""

    name: Annotated[Name | None, NeverNull()] = None
    role: Annotated[RoleRef | None, NeverNull()] = None
    visibility: Visibility | None = Field(default=None, description=_SEES)
    active: Annotated[bool | None, NeverNull()] = Field(
        default=None, description="false ends their sessions"
    )
    password: Annotated[Password | None, NeverNull()] = None


class StaffRead(BaseModel):
    """A member of staff."""

    id: UUID
    object: Literal["staff"] = "staff"
    name: str = Field(examples=["Trần Thị Lan"])
    email: str = Field(examples=["lan@example.com"])
    role: str = Field(
        examples=["agent"], description="A built-in role, or the id of one that the shop has made"
    )
    visibility: Visibility = Field(description="Whose tickets, tasks and customers they see")
    visibility_is_own: bool = Field(description="Whether that is theirs and not their role's")
    team_ids: list[UUID]
    second_factor: bool = Field(description="Whether logging in takes a code as well")
    active: bool
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, record: StaffRecord) -> Self:
        """The member of a record."""
        return cls(
            id=record.id,
            name=record.name,
            email=record.email,
            role=record.role_ref,
            visibility=record.visibility,
            visibility_is_own=record.own_visibility is not None,
            team_ids=sorted(record.team_ids),
            second_factor=record.second_factor_at is not None,
            active=record.active,
            created_at=record.created_at,
            updated_at=record.updated_at,
            version=record.version,
        )
