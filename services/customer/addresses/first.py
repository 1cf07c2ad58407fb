"""Where a person is first of all: which primary address others know when they ask the customer."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from services.customer.addresses.repository import ADDRESSES
from services.customer.addresses.summary import known_by_address, summary_of, told_along
from services.customer.addresses.units import Units
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.hearing import Hearing
from services.customer.customers.record import CustomerRecord
from services.customer.customers.says import Speaker
from services.customer.families.belongings import Belonging, Belongings
from services.customer.families.family import Families, Family
from shared.db.unit_of_work import UnitOfWork


class FirstAddresses:
    """Keeps what locked customers tell of their address what one of their addresses is."""

    def __init__(self, *, uow: UnitOfWork, units: Units) -> None:
        self._uow = uow
        self._addresses = Belongings(uow, ADDRESSES)
        self._units = units

    def is_told(self, person: CustomerRecord, row: Belonging) -> bool:
        """Whether it is the address that a person is known by."""
        return summary_of(dict(row._mapping), self._units) == person.profile.get("address")

    async def is_by(self, person: CustomerRecord, record_id: UUID) -> bool:
        """Whether a person is known by what one of their records has, or by nothing so far."""
        if person.id == record_id or "address" not in person.profile:
            return True
        row = await self._primary(record_id)
        return row is not None and self.is_told(person, row)

    async def follow(self, changes: CustomerChanges, record_id: UUID) -> None:
        """Have a person be known by the primary address of a record, or else of another."""
        person = changes[record_id]
        row = await self._primary(record_id)
        if row is None:
            row = await self._shown(person, await Families(self._uow).of(person.id))
        await self._tell(changes, person, row)
        await changes.save()

    async def settle(self, changes: CustomerChanges, people: Collection[UUID]) -> None:
        """Have people be known by an address that they have, after they were parted."""
        await changes.lock(people)
        for person_id in sorted(people):
            await self.bring(changes, await Families(self._uow).of(person_id))
        await changes.save()

    async def bring(self, changes: CustomerChanges, family: Family) -> None:
        """Have a person, who is these records, be known by an address of theirs; not saved yet."""
        person = changes[family.root_id]
        row = await self._shown(person, family)
        if row is None or row.source is None or row.corrected_by is not None:
            await self._tell(changes, person, row)
        elif not self.is_told(person, row):
            told = {"profile": {"address": summary_of(dict(row._mapping), self._units)}}
            speaker = Speaker(row.source, row.told_at)
            await Hearing(self._uow, changes).hear(person.id, told, speaker)

    async def _primary(self, record_id: UUID) -> Belonging | None:
        rows = await self._addresses.list_of([record_id])
        return rows[0] if rows and rows[0].is_primary else None

    async def _shown(self, person: CustomerRecord, family: Family) -> Belonging | None:
        rows = await self._addresses.shown(family, fits=lambda row: self.is_told(person, row))
        return rows[0] if rows and rows[0].is_primary else None

    async def _tell(
        self, changes: CustomerChanges, person: CustomerRecord, row: Belonging | None
    ) -> None:
        columns = dict(row._mapping) if row is not None else None
        address = summary_of(columns, self._units) if columns is not None else None
        if address == person.profile.get("address"):
            return
        told: dict[str, Any] = {"profile": {"address": address}}
        if columns is not None:
            told |= told_along(columns)
        speaker = Speaker.deciding(self._uow.actor, at=self._uow.clock.now())
        hearing = Hearing(self._uow, changes)
        # Emptied first: so what stays the same is of one word with the address again.
        await hearing.hear(person.id, dict.fromkeys(known_by_address(person)), speaker)
        await hearing.hear(person.id, told, speaker)
