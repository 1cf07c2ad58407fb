"""A team as the gateway holds it."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamRecord:
    """One row of `team`, without its tenant."""

    id: UUID
    name: str
    name_key: str
    description: str | None
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The record in a row that has its columns."""
        return cls(**{name: row._mapping[name] for name in COLUMNS})

    def as_row(self) -> dict[str, Any]:
        """The columns by name."""
        return {name: getattr(self, name) for name in COLUMNS}


@dataclass(frozen=True, slots=True)
class Membership:
    """One row of `team_member`."""

    team_id: UUID
    staff_id: UUID
    joined_at: datetime


COLUMNS = tuple(field.name for field in fields(TeamRecord))
