"""Keeping the rows that values are found by in step with what customers' attributes say.

Whatever writes attributes (a client, a form, an import) comes by here, and nothing is refused: what
does not fit a field stays in the attributes as it came, has no value, and is listed as a misfit.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from services.customer.fields.record import CustomField
from services.customer.fields.repository import FieldRepository, Holder
from services.customer.fields.values import Key, ValueFault, read_value
from shared.db.unit_of_work import UnitOfWork

NOT_UNIQUE = "not_unique"


class FieldValues:
    """The values of customers, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._fields = FieldRepository(uow)

    async def keep(self, holders: Sequence[Holder]) -> None:
        """Make the rows of these customers those of their attributes. Somebody has them locked."""
        holders = [holder for holder in holders if holder.attributes or not holder.is_new]
        if not holders:
            return
        fields = await self._fields.share()
        if not fields:
            return
        known = [holder.customer_id for holder in holders if not holder.is_new]
        if known:
            await self._fields.remove_values(known)
        for field in fields:
            await self._add(field, holders)

    async def keep_field(self, field: CustomField, holders: Sequence[Holder]) -> int:
        """The same for one field; how many values do not fit."""
        if not holders:
            return 0
        await self._fields.remove_values([h.customer_id for h in holders], field_id=field.id)
        return await self._add(field, holders)

    async def _add(self, field: CustomField, holders: Sequence[Holder]) -> int:
        read = {
            holder.customer_id: _keys(field, holder.attributes[field.key])
            for holder in holders
            if holder.attributes.get(field.key) is not None
        }
        if field.is_unique:
            await self._refuse_taken(field, read)
        rows = [
            row
            for holder in holders
            if holder.customer_id in read
            for row in _rows(field, holder, read[holder.customer_id])
        ]
        if rows:
            await self._fields.add_values(rows)
        return sum(isinstance(found, ValueFault) for found in read.values())

    async def _refuse_taken(
        self, field: CustomField, read: dict[UUID, Sequence[Key] | ValueFault]
    ) -> None:
        """Who comes second with a value that only one person may have has a misfit."""
        keys = {i: str(found[0]) for i, found in read.items() if not isinstance(found, ValueFault)}
        if not keys:
            return
        # One after the other: the rows of those before us are there when we look.
        await self._fields.get(field.id, lock=True)
        holders = await self._fields.holders(field.id, set(keys.values()))
        roots = await self._fields.roots(keys)
        for customer_id, key in keys.items():
            root_id = roots.get(customer_id, customer_id)
            taken_by = holders.setdefault(key, set())
            if taken_by - {root_id}:
                read[customer_id] = ValueFault(NOT_UNIQUE, "Another customer has this value")
            taken_by.add(root_id)


def _keys(field: CustomField, raw: Any) -> Sequence[Key] | ValueFault:
    try:
        return read_value(field, raw).keys
    except ValueFault as fault:
        return fault


def _rows(
    field: CustomField, holder: Holder, found: Sequence[Key] | ValueFault
) -> Iterator[Mapping[str, Any]]:
    row = {
        "customer_id": holder.customer_id,
        "field_id": field.id,
        "position": 0,
        "created_at": holder.created_at,
        **dict.fromkeys(("text_value", "number_value", "date_value", "fault")),
    }
    if isinstance(found, ValueFault):
        yield {**row, "fault": found.code}
        return
    for position, key in enumerate(found):
        yield {**row, "position": position, field.column: key}
