"""Teams as clients write and read them."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field

from gateway.teams.record import Membership, TeamRecord
from shared.bodies import Body
from shared.text import Name, TextRule
from shared.web.patches import NeverNull

Description = Annotated[str, TextRule(max_length=500)]


class TeamCreate(Body):
    """A new team."""

    name: Name = Field(examples=["Sài Gòn"])
    description: Description | None = None


class TeamPatch(Body):
    """A change: what is absent stays as it is."""

    name: Annotated[Name | None, NeverNull()] = None
    description: Description | None = Field(default=None, description="null clears it")


class TeamRead(BaseModel):
    """A team."""

    id: UUID
    object: Literal["team"] = "team"
    name: str = Field(examples=["Sài Gòn"])
    description: str | None
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, record: TeamRecord) -> Self:
        """The team of a record."""
        return cls(
            id=record.id,
            name=record.name,
            description=record.description,
            created_at=record.created_at,
            updated_at=record.updated_at,
            version=record.version,
        )


class TeamMemberRead(BaseModel):
    """Somebody in a team."""

    object: Literal["team_member"] = "team_member"
    team_id: UUID
    staff_id: UUID
    joined_at: datetime

    @classmethod
    def of(cls, membership: Membership) -> Self:
        """The member of a record."""
        return cls(
            team_id=membership.team_id,
            staff_id=membership.staff_id,
            joined_at=membership.joined_at,
        )
