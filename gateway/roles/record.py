"""What a role lets its members do: a built-in one, or one that the shop has made."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import Row

from gateway.access.scopes import GRANTABLE, Role
from shared.security.principal import Visibility

_BUILT_IN = {role.value: role for role in Role}
_ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
RoleRef = Annotated[
    str,
    StringConstraints(pattern=rf"^(?:{'|'.join(Role)}|{_ID})$", max_length=36),
    Field(
        examples=["agent"], description=f"{', '.join(Role)}, or the id of a role of the shop's own"
    ),
]
"""How a role is named: a built-in one by its name, another by its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRecord:
    """One row of `role`, without its tenant."""

    id: UUID
    name: str
    name_key: str
    description: str | None
    scopes: frozenset[str]
    visibility: Visibility
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The record in a row that has its columns."""
        values = {name: row._mapping[name] for name in COLUMNS}
        return cls(
            **{
                **values,
                "scopes": given_scopes(row.scopes),
                "visibility": Visibility(row.visibility),
            }
        )

    def as_row(self) -> dict[str, Any]:
        """The columns by name."""
        values = {name: getattr(self, name) for name in COLUMNS}
        return {**values, "scopes": sorted(self.scopes), "visibility": self.visibility.value}


COLUMNS = tuple(field.name for field in fields(RoleRecord))


def given_scopes(stored: list[str]) -> frozenset[str]:
    """What a stored list of scopes gives today; a scope that was given up since gives nothing."""
    return GRANTABLE.intersection(stored)


def built_in(ref: str) -> Role | None:
    """The built-in role of a reference; None when it is the id of a role of the shop's own."""
    return _BUILT_IN.get(ref)
