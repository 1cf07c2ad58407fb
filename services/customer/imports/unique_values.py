"""Values of the shop's own fields that only one person may have, in the rows of a batch."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from services.customer.fields.record import CustomField
from services.customer.fields.repository import FieldRepository
from services.customer.fields.values import ValueFault, read_value
from services.customer.imports.rows import RowRead
from services.customer.imports.tried import value_key
from shared.db.unit_of_work import UnitOfWork


class UniqueValues:
    """Who has such values: people of before, and those of earlier rows."""

    def __init__(self, uow: UnitOfWork, fields: Sequence[CustomField]) -> None:
        self._repository = FieldRepository(uow)
        self._fields = fields
        self.held: dict[tuple[str, str], set[UUID]] = {}

    async def look(self, rows: Sequence[RowRead]) -> None:
        """Look up who has them; nobody else takes one until the commit."""
        for field in self._fields:
            keys = {key for said in rows for name, key in self._values(said) if name == field.key}
            if keys:
                await self._repository.get(field.id, lock=True)
                held = await self._repository.holders(field.id, keys)
                self.held |= {(field.key, key): holders for key, holders in held.items()}

    def keys_of(self, said: RowRead) -> list[UUID]:
        """What a dry run remembers them by."""
        return [value_key(*value) for value in self._values(said)]

    def keys_by_field(self, attributes: Mapping[str, Any]) -> dict[str, UUID]:
        """What a dry run remembers of what somebody has in such fields."""
        found: dict[str, UUID] = {}
        for field in self._fields:
            if attributes.get(field.key) is not None:
                with suppress(ValueFault):
                    found[field.key] = value_key(field.key, _key(field, attributes))
        return found

    def refuse_taken(
        self, said: RowRead, customer_id: UUID | None, tried: Mapping[UUID, UUID]
    ) -> Iterator[str]:
        """Take away from a row what somebody else has; yields the names of those fields."""
        for value in self._values(said):
            taker = tried.get(value_key(*value))
            if {*self.held.get(value, ()), taker} - {customer_id, None}:
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
                self.held.setdefault((name, key), set()).add(customer_id)
                yield value_key(name, key)

    def _values(self, said: RowRead) -> list[tuple[str, str]]:
        return [
            (field.key, _key(field, said.attributes))
            for field in self._fields
            if field.key in said.attributes
        ]


def _key(field: CustomField, attributes: Mapping[str, Any]) -> str:
    return str(read_value(field, attributes[field.key]).keys[0])
