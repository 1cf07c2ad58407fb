"""A member of staff as the gateway holds them, with what their role and their shop make of them."""

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

from sqlalchemy import Row

from gateway.access.scopes import ROLE_SCOPES, Role
from gateway.roles.record import given_scopes
from gateway.staff_policy.record import StaffPolicy, stored_visibility
from shared.contracts.gateway import StaffState
from shared.security.principal import Visibility

# Whoever answers for a shop must not be kept from seeing it.
_SEES_ALL: Final = frozenset({Role.OWNER, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class CustomRole:
    """What a role of the shop's own gives to a member who has it."""

    scopes: frozenset[str]
    visibility: Visibility


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRecord:
    """One row of `staff`, without its tenant, and what it refers to.

    With a `custom` role, `role` is the built-in one that resembles it. `own_visibility` is None
    where the role decides.
    """

    id: UUID
    name: str
    email: str
    email_key: str
    role: Role
    role_id: UUID | None = None
    own_visibility: Visibility | None = None
    password_hash: str
    active: bool
    second_factor_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
    version: int
    custom: CustomRole | None = None
    policy: StaffPolicy = field(default_factory=StaffPolicy)
    team_ids: frozenset[UUID] = frozenset()

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The record in a row of the columns that the repository reads."""
        values = row._mapping
        stored = {name: values[column] for name, column in COLUMNS.items()}
        seen = values["visibility"]
        return cls(
            **{
                **stored,
                "role": Role(values["role"]),
                "own_visibility": Visibility(seen) if seen else None,
            },
            custom=_custom(values["role_scopes"], values["role_visibility"]),
            policy=StaffPolicy(
                visibility=stored_visibility(values["policy_visibility"]),
                second_factor_for=frozenset(values["policy_second_factor_for"] or ()),
            ),
            team_ids=frozenset(values["team_ids"] or ()),
        )

    def as_row(self) -> dict[str, Any]:
        """The columns of `staff` by name."""
        values = {column: getattr(self, name) for name, column in COLUMNS.items()}
        seen = self.own_visibility
        return {**values, "role": self.role.value, "visibility": seen.value if seen else None}

    @property
    def role_ref(self) -> str:
        """The role as it is named outside: a built-in one's name, or the id of another."""
        return self.role.value if self.role_id is None else str(self.role_id)

    @property
    def scopes(self) -> frozenset[str]:
        """What the member may do."""
        return ROLE_SCOPES[self.role] if self.custom is None else self.custom.scopes

    @property
    def visibility(self) -> Visibility:
        """Whose work the member sees."""
        if self.custom is not None:
            return self.own_visibility or self.custom.visibility
        if self.role in _SEES_ALL:
            return Visibility.ALL
        return self.own_visibility or self.policy.visibility.get(self.role, Visibility.ALL)

    @property
    def must_enrol(self) -> bool:
        """Whether the shop wants a second factor of the member, who has none."""
        return self.second_factor_at is None and self.role_ref in self.policy.second_factor_for

    def is_let_in_as(self, before: Self) -> bool:
        """Whether what let them in before still does: the same password, the same second factor."""
        return (
            self.active
            and self.password_hash == before.password_hash
            and self.second_factor_at == before.second_factor_at
        )

    def state(self) -> StaffState:
        """What the services may know."""
        return StaffState(
            staff_id=self.id,
            name=self.name,
            email=self.email,
            role=self.role.value,
            role_id=self.role_id,
            active=self.active,
            team_ids=tuple(sorted(self.team_ids)),
            visibility=self.visibility.value,
            version=self.version,
        )


_DERIVED: Final = frozenset({"custom", "policy", "team_ids"})
COLUMNS: Final = {
    kept.name: "visibility" if kept.name == "own_visibility" else kept.name
    for kept in fields(StaffRecord)
    if kept.name not in _DERIVED
}
"""Where the fields of a record are kept: columns of `staff` by field."""


def email_key(email: str) -> str:
    """The form in which an address is looked up: people type capitals as they please."""
    return email.strip().casefold()


def _custom(scopes: list[str] | None, visibility: str | None) -> CustomRole | None:
    if scopes is None or visibility is None:
        return None
    return CustomRole(given_scopes(scopes), Visibility(visibility))
