"""Whose work a caller sees, where it is not everybody's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self
from uuid import UUID

from shared.security.principal import Principal, PrincipalKind, Visibility

_NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Sight:
    """Staff who see their own work, and perhaps their teams'.

    A service has two forms of each statement: one for callers who see everything, which knows
    nothing of sight and costs nothing, and one that names these parameters.
    """

    staff_id: UUID
    of_teams: bool
    team_ids: frozenset[UUID] = frozenset()

    @classmethod
    def of(cls, principal: Principal) -> Self | None:
        """The sight of a caller; None when they see everything."""
        if principal.visibility is Visibility.ALL:
            return None
        of_teams = principal.visibility is Visibility.TEAM
        teams = principal.team_ids if of_teams else frozenset()
        return cls(_staff_id(principal), of_teams, teams)

    def parameters(self) -> Mapping[str, Any]:
        """What the narrower form of a statement names: `viewer`, and for teams `viewer_teams`.

        The teams are texts, as they are kept in JSON.
        """
        if not self.of_teams:
            return {"viewer": self.staff_id}
        return {"viewer": self.staff_id, "viewer_teams": sorted(map(str, self.team_ids))}


def _staff_id(principal: Principal) -> UUID:
    """Whom rows are compared with; who is no member of staff has no work of their own."""
    if principal.kind is not PrincipalKind.STAFF:
        return _NOBODY
    try:
        return UUID(principal.actor_id)
    except ValueError:
        return _NOBODY
