"""Decisions about addresses."""

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

from services.customer.addresses.errors import TooManyAddresses
from services.customer.addresses.placing import placed
from services.customer.addresses.repository import ADDRESSES, ToldAddresses
from services.customer.addresses.schemas import PARTS, AddressCreate, AddressPatch
from services.customer.addresses.summary import known_by_address, summary_of, told_along
from services.customer.addresses.units import Units
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.hearing import Hearing
from services.customer.customers.repository import CustomerRepository, unerased
from services.customer.customers.says import Speaker, source_of
from services.customer.duplicates.weighing import Weighing
from services.customer.families.belongings import Belonging, Belongings
from services.customer.families.family import Families, Family
from shared.audit.trail import AuditEntry, differences
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.security.sight import Sight
from shared.web.resources import check_version

MOST_ADDRESSES: Final = 50
# What a source would say otherwise again.
_CORRECTED: Final = (
    *("recipient_name", "recipient_phone", "company", "full_address", "city"),
    *PARTS,
)


class AddressService:
    """What clients can do with the addresses of customers whom they see."""

    def __init__(
        self, *, uow: UnitOfWork, units: Units, sight: Sight | None, weighing: Weighing
    ) -> None:
        self._uow = uow
        self._addresses = Belongings(uow, ADDRESSES)
        self._units = units
        self._sight = sight
        self._weighing = weighing

    async def list_of(self, customer_id: UUID) -> Sequence[Belonging]:
        """All addresses of a person, one at most the primary one. Raises CustomerNotFound."""
        family, fits = await self._person(customer_id)
        return await self._addresses.shown(family, fits=fits)

    async def get(self, customer_id: UUID, address_id: UUID) -> Belonging:
        """Raises CustomerNotFound, AddressNotFound."""
        family, fits = await self._person(customer_id)
        return await self._addresses.shown_one(address_id, family, fits=fits)

    async def create(self, customer_id: UUID, given: AddressCreate) -> Belonging:
        """A new address; the first of a customer is the primary one.

        Raises CustomerNotFound, TooManyAddresses.
        """
        changes = await self._locked(customer_id)
        count = await self._addresses.count(customer_id)
        if count >= MOST_ADDRESSES:
            raise TooManyAddresses(f"{MOST_ADDRESSES} at most")
        now = self._uow.clock.now()
        said = given.model_dump()
        columns = {
            **said,
            **placed(said, self._units),
            "id": new_id(),
            "customer_id": customer_id,
            "is_primary": given.is_primary or count == 0,
            "created_at": now,
            "updated_at": now,
            "version": 1,
        }
        row = await self._addresses.add(columns)
        self._uow.record(AuditEntry.of("address", row.id, customer_id=row.customer_id))
        await self._tell(changes, row)
        return await self.get(customer_id, row.id)

    async def change(
        self,
        customer_id: UUID,
        address_id: UUID,
        given: AddressPatch,
        *,
        expected_version: int | None,
    ) -> Belonging:
        """The address after the change. A new text is taken apart anew.

        Raises CustomerNotFound, AddressNotFound, PreconditionFailed.
        """
        before = await self.get(customer_id, address_id)
        changes = await self._locked(before.customer_id)
        before = await self._addresses.get(address_id, of=[before.customer_id])
        check_version(before.version, expected_version)
        said = given.model_dump(exclude_unset=True)
        known = dict(before._mapping)
        if said.get("full_address") is not None:
            known |= dict.fromkeys((*PARTS, "city"))
        now = self._uow.clock.now()
        after = {**known, **said, "updated_at": now}
        after |= placed(after, self._units)
        if before.source is not None and any(after[n] != before._mapping[n] for n in _CORRECTED):
            after |= {"corrected_by": source_of(self._uow.actor), "corrected_at": now}
        row = await self._addresses.save(before, after)
        differing = differences(dict(before._mapping), dict(row._mapping))
        self._uow.record(AuditEntry.of("address", row.id, differing, customer_id=row.customer_id))
        await self._tell(changes, row, was_primary=before.is_primary)
        return await self.get(customer_id, address_id)

    async def delete(self, customer_id: UUID, address_id: UUID) -> None:
        """Forget an address; after the primary one, the newest other is it.

        Raises CustomerNotFound, AddressNotFound.
        """
        found = await self.get(customer_id, address_id)
        changes = await self._locked(found.customer_id)
        before = await self._addresses.get(address_id, of=[found.customer_id])
        await self._addresses.delete(address_id)
        if before.source is not None:
            await ToldAddresses(self._uow).remove(before)
        self._uow.record(AuditEntry.of("address", address_id, customer_id=before.customer_id))
        if before.is_primary:
            await self._summarise(changes, before.customer_id, await self._next_primary(before))

    async def _next_primary(self, gone: Belonging) -> Belonging | None:
        """Whichever address takes the place of one that is gone; None when it was the last."""
        left = await self._addresses.list_of([gone.customer_id])
        if not left:
            return None
        before = dict(left[0]._mapping)
        after = {**before, "is_primary": True, "updated_at": self._uow.clock.now()}
        row = await self._addresses.save(left[0], after)
        differing = differences(before, dict(row._mapping))
        self._uow.record(AuditEntry.of("address", row.id, differing, customer_id=row.customer_id))
        return row

    async def _person(self, customer_id: UUID) -> tuple[Family, Callable[[Belonging], bool]]:
        """Their records, and which primary address is the one that the person is told by."""
        person = await CustomerRepository(self._uow, sight=self._sight).get(customer_id)
        told = person.profile.get("address")
        family = await Families(self._uow).of(customer_id)
        return family, lambda row: summary_of(dict(row._mapping), self._units) == told

    async def _locked(self, customer_id: UUID) -> CustomerChanges:
        changes = CustomerChanges(self._uow, sight=self._sight)
        await changes.lock([customer_id])
        unerased(changes[customer_id])
        return changes

    async def _tell(
        self, changes: CustomerChanges, row: Belonging, *, was_primary: bool = False
    ) -> None:
        """Have the customer know of their primary address: others ask them."""
        if row.is_primary or was_primary:
            await self._summarise(changes, row.customer_id, row if row.is_primary else None)

    async def _summarise(
        self, changes: CustomerChanges, customer_id: UUID, row: Belonging | None
    ) -> None:
        before = changes[customer_id]
        is_of_another = before.id != customer_id
        if is_of_another and (row is None or "address" in before.profile):
            return  # Where a person is first of all is what the record says that stands for them.
        columns = dict(row._mapping) if row is not None else None
        address = summary_of(columns, self._units) if columns is not None else None
        if address == before.profile.get("address"):
            return
        told: dict[str, Any] = {"profile": {"address": address}}
        if columns is not None:
            told |= told_along(columns)
        speaker = Speaker.deciding(self._uow.actor, at=self._uow.clock.now())
        hearing = Hearing(self._uow, changes)
        # Emptied first: so what stays the same is of one word with the address again.
        await hearing.hear(customer_id, dict.fromkeys(known_by_address(before)), speaker)
        await hearing.hear(customer_id, told, speaker)
        await changes.save()
        await self._weighing.weigh_again(changes.compared_anew)
