"""What an import is to do, and what became of its rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from services.customer.customers.record import CustomerRecord, Stage
from services.customer.imports.rows import Problem

Outcome = Literal["created", "updated", "unchanged", "merged", "invalid"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("created", "updated", "unchanged", "merged", "invalid")
MatchBy = Literal["email", "phone"]
Existing = Literal["update", "fill", "skip"]


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """How the rows of one import are taken in."""

    import_id: UUID
    file_name: str
    source: str
    match_by: tuple[MatchBy, ...]
    existing: Existing
    stage: Stage
    is_dry: bool


@dataclass(slots=True)
class RowOutcome:
    """What became of a row; `changes` is what undoing needs."""

    row: int
    outcome: Outcome
    customer_id: UUID | None = None
    code: str | None = None
    of_row: int | None = None
    problems: list[Problem] = field(default_factory=list)
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    added: dict[str, Any] = field(default_factory=dict)
    customer_version: int | None = None
    brought: Mapping[str, Any] = field(default_factory=dict)
    """What a new customer begins with."""

    def has_changed(self) -> None:
        """Something beside the fields has changed, too."""
        if self.outcome == "unchanged":
            self.outcome = "updated"

    @property
    def changes(self) -> dict[str, Any]:
        """What was before and is now, and what was added, as it is kept."""
        told: dict[str, Any] = dict(self.added)
        if self.fields:
            told["fields"] = _both(self.fields)
        return told

    @property
    def shown(self) -> dict[str, list[Any]]:
        """What was before and is now, as people are shown it."""
        return _both(self.fields or {name: (None, new) for name, new in self.brought.items()})

    def as_row(self) -> dict[str, Any]:
        """The columns of its row, but for tenant and import."""
        return {
            "row": self.row,
            "outcome": self.outcome,
            "customer_id": self.customer_id,
            "code": self.code,
            "of_row": self.of_row,
            "problems": [problem.as_json() for problem in self.problems],
            "changes": self.changes,
            "customer_version": self.customer_version,
        }


def as_kept(record: CustomerRecord) -> dict[str, Any]:
    """The fields of a customer in the form that changes are kept in."""
    return {name: _plain(value) for name, value in record.fields().items()}


def field_columns(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Kept values as those of columns."""
    return {
        name: date.fromisoformat(value) if name == "birth_date" and value else value
        for name, value in fields.items()
    }


def _both(fields: Mapping[str, tuple[Any, Any]]) -> dict[str, list[Any]]:
    return {name: [_plain(old), _plain(new)] for name, (old, new) in fields.items()}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value
