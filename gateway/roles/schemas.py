"""Roles as clients write and read them."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from gateway.access.scopes import GRANTABLE, ROLE_SCOPES, Role
from gateway.roles.record import RoleRecord
from shared.bodies import Body
from shared.security.principal import Visibility
from shared.text import Name, TextRule
from shared.web.patches import NeverNull


def _known_scope(scope: str) -> str:
    if scope not in GRANTABLE:
        raise PydanticCustomError("unknown_scope", "Not a scope that a role can give")
    return scope


RoleScope = Annotated[
    str, Field(max_length=64, examples=["tickets:read"]), AfterValidator(_known_scope)
]
Scopes = Annotated[list[RoleScope], Field(max_length=len(GRANTABLE))]
Description = Annotated[str, TextRule(max_length=500)]
_SEES = "Whose tickets, tasks and customers its members see"


class RoleCreate(Body):
    """A new role."""

    name: Name = Field(examples=["Night shift"])
    description: Description | None = None
    scopes: Scopes
    visibility: Visibility = Field(default=Visibility.ALL, description=_SEES)


class RolePatch(Body):
    """A change: what is absent stays as it is."""

    name: Annotated[Name | None, NeverNull()] = None
    description: Description | None = Field(default=None, description="null clears it")
    scopes: Annotated[Scopes | None, NeverNull()] = None
    visibility: Annotated[Visibility | None, NeverNull()] = Field(default=None, description=_SEES)


class RoleRead(BaseModel):
    """A role that the shop has made."""

    id: UUID
    object: Literal["role"] = "role"
    name: str = Field(examples=["Night shift"])
    description: str | None
    scopes: list[str] = Field(examples=[["tickets:read", "tickets:write"]])
    visibility: Visibility
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, record: RoleRecord) -> Self:
        """The role of a record."""
        return cls(
            id=record.id,
            name=record.name,
            description=record.description,
            scopes=sorted(record.scopes),
            visibility=record.visibility,
            created_at=record.created_at,
            updated_at=record.updated_at,
            version=record.version,
        )


class BuiltInRole(BaseModel):
    """A role that every shop has and none can change."""

    object: Literal["built_in_role"] = "built_in_role"
    name: Role
    scopes: list[str]


class BuiltInRoles(BaseModel):
    """What the built-in roles let their members do, the mightiest first."""

    data: list[BuiltInRole]

    @classmethod
    def all(cls) -> Self:
        """All of them."""
        return cls(data=[BuiltInRole(name=role, scopes=sorted(ROLE_SCOPES[role])) for role in Role])
