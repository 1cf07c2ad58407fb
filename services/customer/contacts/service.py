"""Decisions about contact persons."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from services.customer.contacts.errors import TooManyContacts
from services.customer.contacts.repository import CONTACTS
from services.customer.contacts.schemas import ContactPersonCreate, ContactPersonPatch
from services.customer.customers.errors import PhoneNotValid
from services.customer.customers.identities import normalise_email
from services.customer.customers.repository import CustomerRepository
from services.customer.families.belongings import Belonging, Belongings
from services.customer.families.family import Families, Family
from services.customer.tenants.shops import Shops
from shared.audit.trail import AuditEntry, differences
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.phone import normalise_phone
from shared.security.sight import Sight
from shared.web.resources import check_version

MOST_CONTACTS: Final = 100


class ContactService:
    """What clients can do with the contact persons of customers whom they see.

    Their addresses and numbers are the organisation's way to be reached, and recognise nobody.
    """

    def __init__(self, *, uow: UnitOfWork, shops: Shops, sight: Sight | None) -> None:
        self._uow = uow
        self._contacts = Belongings(uow, CONTACTS)
        self._customers = CustomerRepository(uow, sight=sight)
        self._shops = shops

    async def list_of(self, customer_id: UUID) -> Sequence[Belonging]:
        """All contact persons of a customer, one at most the primary. Raises CustomerNotFound."""
        return await self._contacts.shown(await self._family(customer_id))

    async def get(self, customer_id: UUID, contact_id: UUID) -> Belonging:
        """Raises CustomerNotFound, ContactNotFound."""
        return await self._contacts.shown_one(contact_id, await self._family(customer_id))

    async def create(self, customer_id: UUID, given: ContactPersonCreate) -> Belonging:
        """A new contact person; the first of a customer is the primary one.

        Raises CustomerNotFound, PhoneNotValid, TooManyContacts.
        """
        await self._lock(customer_id)
        count = await self._contacts.count(customer_id)
        if count >= MOST_CONTACTS:
            raise TooManyContacts(f"{MOST_CONTACTS} at most")
        now = self._uow.clock.now()
        row = await self._contacts.add(
            {
                **await self._normalised(given.model_dump()),
                "id": new_id(),
                "customer_id": customer_id,
                "is_primary": given.is_primary or count == 0,
                "created_at": now,
                "updated_at": now,
                "version": 1,
            }
        )
        self._uow.record(AuditEntry.of("contact", row.id, customer_id=row.customer_id))
        return await self.get(customer_id, row.id)

    async def change(
        self,
        customer_id: UUID,
        contact_id: UUID,
        given: ContactPersonPatch,
        *,
        expected_version: int | None,
    ) -> Belonging:
        """Raises CustomerNotFound, ContactNotFound, PreconditionFailed, PhoneNotValid."""
        found = await self.get(customer_id, contact_id)
        await self._lock(found.customer_id)
        before = await self._contacts.get(contact_id, of=[found.customer_id])
        check_version(before.version, expected_version)
        said = await self._normalised(given.model_dump(exclude_unset=True))
        known = dict(before._mapping)
        row = await self._contacts.save(
            before, {**known, **said, "updated_at": self._uow.clock.now()}
        )
        differing = differences(known, dict(row._mapping))
        self._uow.record(AuditEntry.of("contact", row.id, differing, customer_id=row.customer_id))
        return await self.get(customer_id, contact_id)

    async def delete(self, customer_id: UUID, contact_id: UUID) -> None:
        """Forget a contact person. Raises CustomerNotFound, ContactNotFound."""
        found = await self.get(customer_id, contact_id)
        await self._contacts.delete(found.id)
        self._uow.record(AuditEntry.of("contact", found.id, customer_id=found.customer_id))

    async def _family(self, customer_id: UUID) -> Family:
        await self._customers.get(customer_id)
        return await Families(self._uow).of(customer_id)

    async def _lock(self, customer_id: UUID) -> None:
        """Let nobody else add to or change what this customer has.

        Raises CustomerNotFound, CustomerIsErased.
        """
        await self._customers.get_unerased(customer_id)
        await self._customers.lock([customer_id])

    async def _normalised(self, said: dict[str, Any]) -> dict[str, Any]:
        if said.get("email") is not None:
            said["email"] = normalise_email(said["email"])
        if said.get("phone") is not None:
            region = (await self._shops.of(self._uow)).country
            said["phone"] = normalise_phone(said["phone"], region=region).e164
            if said["phone"] is None:
                raise PhoneNotValid(region)
        return said
