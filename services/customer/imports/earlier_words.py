"""What imports that were taken back before had told of customers, as far as it is still in the way.

A word of one import may have been buried by the next of the same source: nothing shows it when it
is taken back, and it comes up again with what was before the later one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from services.customer.customers.hearing import Hearing
from services.customer.customers.says import ATTRIBUTE, Word
from services.customer.imports.plan import field_columns
from services.customer.imports.row_repository import ImportRowRepository, Told


class EarlierWords:
    """What was taken back of some customers before, inside one unit of work."""

    def __init__(self, rows: ImportRowRepository, hearing: Hearing, *, source: str) -> None:
        self._rows = rows
        self._hearing = hearing
        self._source = source
        self._told: dict[UUID, list[Told]] = defaultdict(list)

    async def look(self, import_id: UUID, customer_ids: Collection[UUID]) -> None:
        """Look up the rows of other imports that were taken back."""
        self._told.clear()
        for row in await self._rows.taken_back_before(import_id, customer_ids):
            self._told[row.customer_id].append(row)

    def left_out(self, customer_id: UUID, name: str, word: Word) -> Word:
        """A word of this import, as if the source had never said what was taken back before."""
        earlier = [
            word_of(row, name, source=self._source, now=word.value)
            for row in self._told.get(customer_id, ())
            if row.source == self._source and name in row.changes.get("said", {}).get("before", {})
        ]
        # The last first: it may have buried the one before in its turn.
        for one in sorted(earlier, key=attrgetter("at"), reverse=True):
            word = self._hearing.without_earlier(customer_id, name, word, one)
        return word

    def contacts(self, customer_id: UUID) -> Iterator[tuple[str, str]]:
        """What they may still be recognised by, as a field had it: each by its kind and value."""
        for row in self._told.get(customer_id, ()):
            if row.undone == "partly":
                for kind, _scope, value in row.changes.get("identities", ()):
                    yield kind, value


def word_of(row: Told, name: str, *, source: str, now: Any) -> Word:
    """What a row has said of a field, and how that was before; `now` where it stayed as it was."""
    said = row.changes["said"]
    old, _new = old_and_new(row, name) or (now, now)
    return Word(source, datetime.fromisoformat(said["at"]), said["before"][name], old)


def old_and_new(row: Told, name: str) -> tuple[Any, Any] | None:
    """What a field was before a row and after it; None where it stayed as it was."""
    fields = row.changes.get("fields", {})
    if name.startswith(ATTRIBUTE):
        key = name.removeprefix(ATTRIBUTE)
        both = [values.get(key) for values in fields.get("attributes", ({}, {}))]
        return None if both[0] == both[1] else (both[0], both[1])
    if name not in fields:
        return None
    old, new = (field_columns({name: value})[name] for value in fields[name])
    return old, new
