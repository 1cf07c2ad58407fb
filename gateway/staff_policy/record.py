"""What a shop has decided for all its staff."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from sqlalchemy import Row

from gateway.access.scopes import Role
from shared.security.principal import Visibility


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffPolicy:
    """Whose work the built-in roles see (all, where nothing is said), and who needs a code.

    `second_factor_for` names roles as `RoleRef` does.
    """

    visibility: Mapping[Role, Visibility] = field(default_factory=dict)
    second_factor_for: frozenset[str] = frozenset()
    updated_at: datetime | None = None
    version: int = 0

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The policy in a row of `staff_policy`."""
        return cls(
            visibility=stored_visibility(row.visibility),
            second_factor_for=frozenset(row.second_factor_for),
            updated_at=row.updated_at,
            version=row.version,
        )


def stored_visibility(stored: Mapping[str, str] | None) -> Mapping[Role, Visibility]:
    """What a shop without a policy, or one with, has said of its built-in roles."""
    return {Role(role): Visibility(sees) for role, sees in (stored or {}).items()}
