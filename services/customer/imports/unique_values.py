"""Values of the shop's own fields that only one person may have, in the rows of a batch."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from services.customer.fields.record import CustomField
from services.customer.fields.repository import FieldRepository
from services.customer.fields.values import read_value
from services.customer.imports.rows import RowRead, row_key
from shared.db.unit_of_work import UnitOfWork


class UniqueValues:
    """Who has such values: people of before, and those of earlier rows."""

    def __init__(self, uow: UnitOfWork, fields: Sequence[CustomField]) -> None:
        self._repository = FieldRepository(uow)
        self._fields = fields
        self._held: dict[tuple[str, str], set[UUID]] = {}

    async def look(self, rows: Sequence[RowRead]) -> None:
        """Look up who has them; nobody else takes one until the commit."""
        for field in self._fields:
            keys = {key for said in rows for name, key in self._values(said) if name == field.key}
            if keys:
                await self._repository.get(field.id, lock=True)
                held = await self._repository.holders(field.id, keys)
                self._held |= {(field.key, key): holders for key, holders in held.items()}

    def keys_of(self, said: RowRead) -> list[UUID]:
        """What a dry run remembers them by."""
        return [row_key("unique", *value) for value in self._values(said)]

    def refuse_taken(
        self, said: RowRead, customer_id: UUID | None, tried: Mapping[UUID, UUID]
    ) -> Iterator[str]:
        """Take away from a row what somebody else has; yields the names of those fields."""
        for value in self._values(said):
            taker = tried.get(row_key("unique", *value))
            if {*self._held.get(value, ()), taker} - {customer_id, None}:
                del said.attributes[value[0]]
                yield value[0]

    def keep(
        self, said: RowRead, customer_id: UUID, attributes: Mapping[str, Any]
    ) -> Iterator[UUID]:
        """From now on these are theirs, as far as they have become so; yields their keys.

        What somebody else had first, or what they had before, is not among their `attributes`.
        """
        for name, key in self._values(said):
            if attributes.get(name) == said.attributes[name]:
                self._held.setdefault((name, key), set()).add(customer_id)
                yield row_key("unique", name, key)

    def _values(self, said: RowRead) -> list[tuple[str, str]]:
        return [
            (field.key, str(read_value(field, said.attributes[field.key]).keys[0]))
            for field in self._fields
            if field.key in said.attributes
        ]
