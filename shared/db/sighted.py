"""Statements as callers see what they find: everything, their own work, or their teams' too."""

from collections.abc import Mapping
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select

from shared.security.sight import Sight


class IsSeen(Protocol):
    """The condition that a row is seen, with the parameters of `Sight.parameters`."""

    def __call__(self, *, of_teams: bool) -> ColumnElement[bool]:
        """The condition, with or without what is seen of a team's."""
        ...


class Sighted:
    """One statement in all its forms; who sees everything pays for no condition."""

    def __init__(self, statement: Select[Any], is_seen: IsSeen) -> None:
        self._whole = statement
        self._narrower = {of: statement.where(is_seen(of_teams=of)) for of in (False, True)}

    def seen_by(self, sight: Sight | None) -> tuple[Select[Any], Mapping[str, Any]]:
        """The form for a caller, and the parameters that it has besides those of the statement."""
        if sight is None:
            return self._whole, {}
        return self._narrower[sight.of_teams], sight.parameters()
