"""Decisions about addresses."""

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from services.customer.addresses.errors import TooManyAddresses
from services.customer.addresses.first import FirstAddresses
from services.customer.addresses.placing import placed
from services.customer.addresses.repository import ADDRESSES, ToldAddresses
from services.customer.addresses.schemas import PARTS, AddressCreate, AddressPatch
from services.customer.addresses.units import Units
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.repository import CustomerRepository, unerased
from services.customer.customers.says import source_of
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
        self._first = FirstAddresses(uow=uow, units=units)
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
        is_first = await self._first.is_by(changes[customer_id], customer_id)
        row = await self._addresses.add(columns)
        self._uow.record(AuditEntry.of("address", row.id, customer_id=row.customer_id))
        if row.is_primary and is_first:
            await self._follow(changes, customer_id)
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
        # Said to be the first of all: also of those that are each the first of their record.
        is_first = given.is_primary or await self._first.is_by(
            changes[before.customer_id], before.customer_id
        )
        row = await self._addresses.save(before, after)
        differing = differences(dict(before._mapping), dict(row._mapping))
        self._uow.record(AuditEntry.of("address", row.id, differing, customer_id=row.customer_id))
        if is_first and (row.is_primary or before.is_primary):
            await self._follow(changes, row.customer_id)
        return await self.get(customer_id, address_id)

    async def delete(self, customer_id: UUID, address_id: UUID) -> None:
        """Forget an address; after the primary one, the newest other is it.

        Raises CustomerNotFound, AddressNotFound.
        """
        found = await self.get(customer_id, address_id)
        changes = await self._locked(found.customer_id)
        before = await self._addresses.get(address_id, of=[found.customer_id])
        is_first = await self._first.is_by(changes[before.customer_id], before.customer_id)
        await self._addresses.delete(address_id)
        if before.source is not None:
            await ToldAddresses(self._uow).remove(before)
        self._uow.record(AuditEntry.of("address", address_id, customer_id=before.customer_id))
        if before.is_primary:
            await self._promote_next(before)
            if is_first:
                await self._follow(changes, before.customer_id)

    async def _promote_next(self, gone: Belonging) -> None:
        """Have the newest address of the same record take the place of one that is gone."""
        left = await self._addresses.list_of([gone.customer_id])
        if not left:
            return
        before = dict(left[0]._mapping)
        after = {**before, "is_primary": True, "updated_at": self._uow.clock.now()}
        row = await self._addresses.save(left[0], after)
        differing = differences(before, dict(row._mapping))
        self._uow.record(AuditEntry.of("address", row.id, differing, customer_id=row.customer_id))

    async def _person(self, customer_id: UUID) -> tuple[Family, Callable[[Belonging], bool]]:
        """Their records, and which primary address is the one that the person is told by."""
        person = await CustomerRepository(self._uow, sight=self._sight).get(customer_id)
        family = await Families(self._uow).of(customer_id)
        return family, lambda row: self._first.is_told(person, row)

    async def _locked(self, customer_id: UUID) -> CustomerChanges:
        changes = CustomerChanges(self._uow, sight=self._sight)
        await changes.lock([customer_id])
        unerased(changes[customer_id])
        return changes

    async def _follow(self, changes: CustomerChanges, record_id: UUID) -> None:
        """Have the customer know of their primary address: others ask them."""
        await self._first.follow(changes, record_id)
        await self._weighing.weigh_again(changes.compared_anew)
