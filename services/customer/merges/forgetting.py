"""What the ledger keeps of merges once something was forgotten for good. No I/O.

What was taken, and what there was before, would come back when a merge is undone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.customers.record import CustomerRecord
from services.customer.customers.says import sources_of_field, sources_then, unsaid
from services.customer.merges.combining import Taken, known_fields
from services.customer.tenants.priorities import Priority

Merge = Row[*tuple[Any, ...]]
Left = dict[str, Any]
"""The columns of a merge that tell of fields, and its id."""


def without_fields(
    row: Merge, is_forgotten: Callable[[str], bool], *, keeps_tags: bool = True
) -> Left | None:
    """What is left of a merge without these fields; None if it has nothing of them."""
    return _if_changed(
        row,
        taken=[each for each in row.taken if not is_forgotten(each["field"])],
        tags_added=row.tags_added if keeps_tags else [],
        outcome={name: value for name, value in row.outcome.items() if not is_forgotten(name)},
    )


@dataclass(frozen=True, slots=True)
class SourceTakenBack:
    """A family of which one source is to have told nothing: its records as they were, and are."""

    source: str
    priority: Priority
    before: Mapping[UUID, CustomerRecord]
    after: Mapping[UUID, CustomerRecord]

    def left_of(self, row: Merge) -> Left | None:
        """What is left of a merge; None if the source has told nothing of what it has."""
        told = self._told(row)
        if row.status != "done" or row.survivor_id not in self.before:
            # Nothing is given back any more: what it tells of these fields is history.
            return without_fields(row, told.__contains__)
        taken = [self._taken(row.survivor_id, Taken.of(each), told) for each in row.taken]
        return _if_changed(
            row,
            taken=[each.as_json() for each in taken if each.before != each.after],
            tags_added=row.tags_added,
            outcome={
                name: value
                for name, before in row.outcome.items()
                if (value := self._now(row.survivor_id, name, before, told)) is not None
            },
        )

    def _told(self, row: Merge) -> set[str]:
        """The fields of which the source has told, here or before they were taken."""
        names = {*row.outcome, *(each["field"] for each in row.taken)}
        told = {
            name
            for name in names
            if any(self.source in sources_of_field(each, name) for each in self.before.values())
        }
        replaced = (Taken.of(each) for each in row.taken)
        return told | {each.field for each in replaced if self._had_told(row.survivor_id, each)}

    def _had_told(self, survivor_id: UUID, taken: Taken) -> bool:
        survivor = self.before.get(survivor_id)
        if survivor is None:
            return any(source == self.source for source, *_ in taken.said_before or ())
        return self.source in sources_then(survivor, taken.field, taken.said_before, taken.before)

    def _taken(self, survivor_id: UUID, taken: Taken, told: set[str]) -> Taken:
        after = self._now(taken.record_id, taken.field, taken.after, told)
        if not self._had_told(survivor_id, taken):
            return replace(taken, after=after)
        survivor = self.before[survivor_id]
        before, said = unsaid(
            survivor, taken.field, taken.said_before, taken.before, self.source, self.priority
        )
        before = before.isoformat() if isinstance(before, date) else before
        return replace(taken, before=before, after=after, said_before=said)

    def _now(self, record_id: UUID, field: str, value: Any, told: set[str]) -> Any:
        """What a record's field is now, that was this value when the ledger was written."""
        if field not in told:
            return value
        if record_id in self.before and known_fields(self.before[record_id]).get(field) == value:
            return known_fields(self.after[record_id]).get(field)
        return None


def _if_changed(row: Merge, **left: Any) -> Left | None:
    if all(getattr(row, name) == value for name, value in left.items()):
        return None
    return {"id": row.id, **left}
