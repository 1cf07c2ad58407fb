"""Staff as clients write and read them."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, EmailStr, Field, SecretStr

from gateway.access.scopes import Role
from gateway.staff.record import StaffRecord
from shared.text import Name

Email = Annotated[EmailStr, Field(max_length=254, examples=["lan@example.com"])]
Password = Annotated[
    SecretStr,
    Field(min_length=10, max_length=200, examples=["mot-hai-ba-bon-nam"]),
]


class StaffCreate(BaseModel):
    """A new member of staff."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(examples=["Trần Thị Lan"])
    email: Email
    password: Password
    role: Role = Role.AGENT


class StaffPatch(BaseModel):
    """A change: what is absent stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    role: Role | None = None
    active: bool | None = Field(default=None, description="false ends their sessions at once")
    password: Password | None = None


class StaffRead(BaseModel):
    """A member of staff."""

    id: UUID
    object: Literal["staff"] = "staff"
    name: str = Field(examples=["Trần Thị Lan"])
    email: str = Field(examples=["lan@example.com"])
    role: Role
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
            role=record.role,
            active=record.active,
            created_at=record.created_at,
            updated_at=record.updated_at,
            version=record.version,
        )
