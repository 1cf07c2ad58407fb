"""What is given back when a merge is undone. No I/O.

Merges stand in chains (a record takes from another, and is itself merged) and rows (a record takes
from one, then from another). Whichever is undone, the others stay as if it had never been: a field
goes back to what it was, or to what another merged record says of it, and so on up the chain.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from services.customer.customers.record import CustomerRecord
from services.customer.customers.says import Said, said_of
from services.customer.merges.combining import Taken, is_blank, known_fields


@dataclass(slots=True)
class Decision:
    """A merge as far as fields are concerned: into whom, of whom, what was taken and came of it."""

    id: UUID
    survivor_id: UUID
    merged_ids: tuple[UUID, ...]
    taken: list[Taken]
    tags_added: list[str]
    outcome: dict[str, Any]


def divided(
    decision: Decision, leaving: Collection[UUID], records: Mapping[UUID, CustomerRecord]
) -> tuple[Decision, Decision]:
    """A merge as if it had been two at one time: of those who leave, and of the rest."""
    stay = tuple(each for each in decision.merged_ids if each not in leaving)
    left = [
        tag
        for tag in decision.tags_added
        if any(tag in records[each].tags for each in leaving)
        and not any(tag in records[each].tags for each in stay)
    ]
    of_those_who_leave = replace(
        decision,
        merged_ids=tuple(each for each in decision.merged_ids if each in leaving),
        taken=[taken for taken in decision.taken if taken.record_id in leaving],
        tags_added=left,
    )
    of_the_rest = replace(
        decision,
        merged_ids=stay,
        taken=[taken for taken in decision.taken if taken.record_id not in leaving],
        tags_added=[tag for tag in decision.tags_added if tag not in left],
    )
    return of_those_who_leave, of_the_rest


@dataclass(frozen=True, slots=True)
class Kept:
    """A field that somebody has changed since it was taken: it stays as it is."""

    record_id: UUID
    field: str
    value: Any


class Parting:
    """Records of a family, and the merges that stand, while one more is taken out of them."""

    def __init__(
        self, records: Mapping[UUID, CustomerRecord], standing: Sequence[Decision]
    ) -> None:
        self._records = records
        self._known = {id_: known_fields(record) for id_, record in records.items()}
        self._standing = sorted(standing, key=lambda decision: decision.id)
        self._merged_by = {
            merged_id: decision for decision in standing for merged_id in decision.merged_ids
        }
        self.fields: dict[UUID, dict[str, Any]] = {}
        self.said: dict[UUID, dict[str, Said]] = {}
        """Who said what is given back, as `says.py` keeps it."""
        self.tags = {id_: list(record.tags) for id_, record in records.items()}
        self.kept: list[Kept] = []

    def give_back(self, undone: Decision) -> None:
        """Take out of the records what `undone`, which stands no more, has put into them."""
        for taken in undone.taken:
            self._give_back(undone, taken)
        for tag in undone.tags_added:
            self._drop_tag(undone.survivor_id, tag)

    def value(self, record_id: UUID, field: str) -> Any:
        """What a field of a record is by now."""
        return self._known[record_id].get(field)

    def change(self, record_id: UUID, field: str, value: Any) -> None:
        """Have a field be something else, also where it was taken on from here."""
        self._put(record_id, field, self.value(record_id, field), value, None)

    def _give_back(self, undone: Decision, taken: Taken) -> None:
        record_id, field = undone.survivor_id, taken.field
        overridden = self._overriding(undone, taken)
        if overridden is not None:
            decision, index = overridden
            decision.taken[index] = replace(
                decision.taken[index], before=taken.before, said_before=taken.said_before
            )
            self._restate(
                record_id, field, taken.after, taken.before, since=undone.id, until=decision.id
            )
        elif self._known[record_id].get(field) != taken.after:
            self.kept.append(Kept(record_id, field, self._known[record_id].get(field)))
        else:
            value, said = taken.before, taken.said_before
            self._restate(record_id, field, taken.after, value, since=undone.id)
            if is_blank(field, value):
                value, said = self._filled_otherwise(record_id, field, value, said)
            self._put(record_id, field, taken.after, value, said)

    def _overriding(self, undone: Decision, taken: Taken) -> tuple[Decision, int] | None:
        """A later merge into the same record that has put something else in this place."""
        for decision in self._standing:
            if decision.survivor_id == undone.survivor_id and decision.id > undone.id:
                for index, other in enumerate(decision.taken):
                    if other.field == taken.field and other.before == taken.after:
                        return decision, index
        return None

    def _filled_otherwise(
        self, record_id: UUID, field: str, blank: Any, said_before: Said
    ) -> tuple[Any, Said]:
        """What another record that was merged into this one says, now that the place is empty."""
        for decision in self._standing:
            if decision.survivor_id != record_id:
                continue
            for merged_id in decision.merged_ids:
                value = self._known[merged_id].get(field)
                if not is_blank(field, value):
                    decision.taken.append(Taken(field, merged_id, blank, value, said_before))
                    self._restate(record_id, field, blank, value, since=decision.id)
                    return value, said_of(self._records[merged_id], field)
        return blank, said_before

    def _put(self, record_id: UUID, field: str, old: Any, new: Any, said: Said) -> None:
        """Change a field, also where it was taken on from here."""
        self.fields.setdefault(record_id, {})[field] = new
        self.said.setdefault(record_id, {})[field] = said
        self._known[record_id][field] = new
        above = self._merged_by.get(record_id)
        for index, taken in enumerate(above.taken) if above is not None else ():
            if (taken.field, taken.record_id, taken.after) != (field, record_id, old):
                continue
            assert above is not None  # noqa: S101  (there is nothing to go through without it)
            if is_blank(field, new):
                del above.taken[index]
                self._give_back(above, taken)
            else:
                self._pass_on(above, index, new, said)
            return

    def _pass_on(self, decision: Decision, index: int, new: Any, said: Said) -> None:
        taken = decision.taken[index]
        decision.taken[index] = replace(taken, after=new)
        if self._known[decision.survivor_id].get(taken.field) == taken.after:
            self._restate(decision.survivor_id, taken.field, taken.after, new, since=decision.id)
            self._put(decision.survivor_id, taken.field, taken.after, new, said)
        else:
            value = self._known[decision.survivor_id].get(taken.field)
            self.kept.append(Kept(decision.survivor_id, taken.field, value))

    def _restate(
        self,
        record_id: UUID,
        field: str,
        old: Any,
        new: Any,
        *,
        since: UUID,
        until: UUID | None = None,
    ) -> None:
        """Have merges into a record, from one on (and before another), remember another value.

        They had seen what is given back now, which nobody has changed. A merge that had seen
        something else does so still: that was changed by somebody.
        """
        for decision in self._standing:
            if decision.survivor_id != record_id or decision.id < since:
                continue
            if until is not None and decision.id >= until:
                continue
            seen = decision.outcome.get(field)
            if seen == old or (is_blank(field, seen) and is_blank(field, old)):
                decision.outcome[field] = new

    def _drop_tag(self, record_id: UUID, tag: str) -> None:
        if tag not in self.tags[record_id]:
            return
        for decision in self._standing:
            if decision.survivor_id == record_id and self._has_tag(decision.merged_ids, tag):
                decision.tags_added.append(tag)
                return
        self.tags[record_id].remove(tag)
        above = self._merged_by.get(record_id)
        if above is not None and tag in above.tags_added:
            above.tags_added.remove(tag)
            self._drop_tag(above.survivor_id, tag)

    def _has_tag(self, record_ids: Iterable[UUID], tag: str) -> bool:
        return any(tag in self.tags[record_id] for record_id in record_ids)
