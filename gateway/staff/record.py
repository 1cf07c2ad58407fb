"""A member of staff as the gateway holds them."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import Row

from gateway.access.scopes import Role
from shared.contracts.gateway import StaffState


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRecord:
    """One row of `staff`, without its tenant."""

    id: UUID
    name: str
    email: str
    email_key: str
    role: Role
    password_hash: str
    active: bool
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The record in a row that has its columns."""
        values = {name: getattr(row, name) for name in COLUMNS}
        return cls(**{**values, "role": Role(row.role)})

    def as_row(self) -> dict[str, Any]:
        """The columns by name."""
        return {name: getattr(self, name) for name in COLUMNS}

    def state(self) -> StaffState:
        """What the services may know."""
        return StaffState(
            staff_id=self.id,
            name=self.name,
            email=self.email,
            role=self.role.value,
            active=self.active,
            version=self.version,
        )


COLUMNS = tuple(field.name for field in fields(StaffRecord))


def email_key(email: str) -> str:
    """The form in which an address is looked up: people type capitals as they please."""
    return email.strip().casefold()
