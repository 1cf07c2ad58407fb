"""What an import is to do, and what became of its rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Literal, get_args
from uuid import UUID

from services.customer.customers.record import Stage
from services.customer.fields.record import CustomField
from services.customer.imports.rows import Problem

Outcome = Literal["created", "updated", "unchanged", "merged", "invalid", "erased"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
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
    columns: Mapping[str, str] = field(default_factory=dict)
    """The first column that is mapped to each target."""

    required: tuple[str, ...] = ()
    """The fields of the shop that new customers must have a value in."""

    unique: tuple[CustomField, ...] = ()
    """Those whose values only one person may have, as far as the file has them."""

    def origin(self, row: int) -> dict[str, Any]:
        """Where something comes from, for a timeline."""
        return {"import_id": str(self.import_id), "file_name": self.file_name, "row": row}

    def column_of(self, name: str) -> str:
        """Where a field of a customer comes from; its own name where no column tells it alone."""
        return self.columns.get(name, name)


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
    said: dict[str, Any] = field(default_factory=dict)
    """Of each field of which it has said something new: who had said it before."""

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
        if self.said:
            told["said"] = self.said
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
