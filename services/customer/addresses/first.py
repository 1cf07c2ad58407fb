"""Where a person is first of all: which primary address others know when they ask the customer."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from services.customer.addresses.repository import ADDRESSES
from services.customer.addresses.summary import known_by_address, summary_of, told_along
from services.customer.addresses.units import Units
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.hearing import Hearing
from services.customer.customers.record import CustomerRecord
from services.customer.customers.says import Speaker
from services.customer.families.belongings import Belonging, Belongings, first_of_all
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
            family = await Families(self._uow).of(person.id)
            row = self._first(person, await self._addresses.primaries_of(family.member_ids))
        await self._tell(Hearing(self._uow, changes), person, row)
        await changes.save()

    async def settle(self, changes: CustomerChanges, people: Collection[UUID]) -> None:
        """Have people be known by an address that they have, after they were parted."""
        await changes.lock(people)
        members = await Families(self._uow).of_all(people)
        primaries: defaultdict[UUID, list[Belonging]] = defaultdict(list)
        for row in await self._addresses.primaries_of(members):
            primaries[members[row.customer_id]].append(row)
        hearing = Hearing(self._uow, changes)
        for person_id in sorted(people):
            await self._bring(hearing, changes[person_id], primaries[person_id])
        await changes.save()

    async def bring(self, changes: CustomerChanges, family: Family) -> None:
        """Have a person, who is these records, be known by an address of theirs; not saved yet."""
        primaries = await self._addresses.primaries_of(family.member_ids)
        await self._bring(Hearing(self._uow, changes), changes[family.root_id], primaries)

    async def _bring(
        self, hearing: Hearing, person: CustomerRecord, primaries: Sequence[Belonging]
    ) -> None:
        row = self._first(person, primaries)
        if row is None or row.source is None or row.corrected_by is not None:
            await self._tell(hearing, person, row)
        elif not self.is_told(person, row):
            told = {"profile": {"address": summary_of(dict(row._mapping), self._units)}}
            speaker = Speaker(row.source, row.told_at)
            await hearing.hear(person.id, told, speaker)

    async def _primary(self, record_id: UUID) -> Belonging | None:
        return next(iter(await self._addresses.primaries_of([record_id])), None)

    def _first(self, person: CustomerRecord, primaries: Sequence[Belonging]) -> Belonging | None:
        return first_of_all(primaries, person.id, fits=lambda row: self.is_told(person, row))

    async def _tell(self, hearing: Hearing, person: CustomerRecord, row: Belonging | None) -> None:
        columns = dict(row._mapping) if row is not None else None
        address = summary_of(columns, self._units) if columns is not None else None
        if address == person.profile.get("address"):
            return
        told: dict[str, Any] = {"profile": {"address": address}}
        if columns is not None:
            told |= told_along(columns)
        speaker = Speaker.deciding(self._uow.actor, at=self._uow.clock.now())
        # Emptied first: so what stays the same is of one word with the address again.
        await hearing.hear(person.id, dict.fromkeys(known_by_address(person)), speaker)
        await hearing.hear(person.id, told, speaker)
