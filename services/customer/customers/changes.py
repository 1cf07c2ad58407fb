"""Changes of many customers, gathered first and written once."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from services.customer.customers.errors import CustomerNotFound
from services.customer.customers.record import CustomerRecord
from services.customer.customers.repository import Aside, CustomerRepository
from services.customer.fields.keeping import FieldValues
from services.customer.fields.repository import Holder
from shared.audit.trail import AuditEntry
from shared.contracts.audit import AuditSubject, FieldChange
from shared.contracts.customer import CustomerUpdated
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

_COUNTED: Final = frozenset(
    {"orders_count", "total_spent_minor", "first_order_at", "last_order_at", "value_tier"}
)
# What makes two customers alike, or not. In `profile`, what is not here says nothing of that.
_COMPARED: Final = frozenset(
    {
        *("name", "email", "phone", "birth_date", "gender", "kind", "province"),
        *("address", "birth_date_lunar", "tax_code"),
    }
)


class CustomerChanges:
    """Customers locked for a change. Whatever is changed, `save` makes it one version and event.

    Any record of a person names the one that stands for them: that one is changed.

    With the `sight` of a caller, those they do not see are as if they were not there.
    """

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._customers = CustomerRepository(uow, sight=sight)
        self._stored: dict[UUID, CustomerRecord] = {}
        self._current: dict[UUID, CustomerRecord] = {}
        self._roots: dict[UUID, UUID] = {}
        self._touched: set[UUID] = set()
        self.compared_anew: set[UUID] = set()
        """Who was saved with another name, address or birthday, or what else makes people alike."""

    async def lock(self, customer_ids: Collection[UUID]) -> None:
        """Read these customers too, nobody else changing them until the commit."""
        further = sorted(set(customer_ids) - self._roots.keys())
        if further:
            self._hold(await self._customers.lock(further))

    async def lock_and_ask(
        self, customer_id: UUID, question: Aside, asked: Mapping[str, Any]
    ) -> bool | None:
        """`lock` one customer, and the answer to a question; None when it was not asked."""
        found, answer = await self._customers.lock_and_ask(customer_id, question, asked)
        self._hold(found)
        return answer

    def _hold(self, found: Mapping[UUID, CustomerRecord]) -> None:
        for asked, root in found.items():
            self._roots |= {asked: root.id, root.id: root.id}
        new = {root.id: root for root in found.values() if root.id not in self._stored}
        self._stored |= new
        self._current |= new

    def take(self, record: CustomerRecord) -> None:
        """Work on a customer that this very unit of work has added."""
        self._stored[record.id] = self._current[record.id] = record
        self._roots[record.id] = record.id

    def __contains__(self, customer_id: UUID) -> bool:
        return customer_id in self._roots

    def __getitem__(self, customer_id: UUID) -> CustomerRecord:
        """The customer with the changes so far. Raises CustomerNotFound when not locked."""
        if customer_id not in self._roots:
            raise CustomerNotFound
        return self._current[self._roots[customer_id]]

    def apply(self, customer_id: UUID, changes: Mapping[str, Any]) -> None:
        """Change columns of a customer."""
        before = self[customer_id]
        self._current[before.id] = before.merged(changes, at=self._uow.clock.now())

    def touch(self, customer_id: UUID) -> None:
        """Make it a new version even if no column of the customer changes."""
        record = self[customer_id]
        self._touched.add(record.id)
        self._current[record.id] = replace(record, updated_at=self._uow.clock.now())

    def remember(self, customer_id: UUID, provenance: Mapping[str, Any] | None) -> None:
        """Keep who said what of a customer. That alone is no new version of them."""
        record = self[customer_id]
        self._current[record.id] = replace(record, provenance=provenance)

    async def save(self, *, out_of: Collection[UUID] = ()) -> list[CustomerRecord]:
        """Write the customers that differ from what is stored, tell others, return them.

        The audit log names the records `out_of` which the changes were taken as well, so that
        what it says is found with each of them.
        """
        self._bring_back()
        differences = {
            customer_id: self._current[customer_id].changes_since(stored)
            for customer_id, stored in self._stored.items()
            if self._current[customer_id] is not stored
        }
        changed = [
            self._current[customer_id].next_version_of(self._stored[customer_id])
            for customer_id in differences
            if customer_id in self._touched or differences[customer_id]
        ]
        await self._remember()
        self._touched.clear()
        if not changed:
            return []
        for after in changed:
            if not _COMPARED.isdisjoint(differences[after.id]):
                self.compared_anew.add(after.id)
            named = dict.fromkeys([after.id, *out_of])
            self._record(named, differences[after.id])
            self._uow.append(CustomerUpdated(customer=after.state()), key=after.id)
        await self._customers.save(changed, differing=self._differing(changed, differences))
        retagged = [after for after in changed if after.tags != self._stored[after.id].tags]
        if retagged:
            await self._customers.replace_tags(retagged)
        await FieldValues(self._uow).keep(
            [
                Holder(after.id, after.created_at, after.attributes)
                for after in changed
                if after.attributes != self._stored[after.id].attributes
            ]
        )
        for after in changed:
            self.take(after)
        return changed

    def _bring_back(self) -> None:
        """Who was removed and is heard of again is somebody."""
        for customer_id, stored in self._stored.items():
            after = self._current[customer_id]
            if stored.removed_at is not None and after is not stored:
                self._current[customer_id] = after.merged(
                    {"removed_at": None}, at=self._uow.clock.now()
                )

    def _differing(
        self, changed: Iterable[CustomerRecord], differences: Mapping[UUID, Mapping[str, Any]]
    ) -> set[str]:
        """The columns in which any of those who changed differ from what is stored."""
        names = {name for after in changed for name in differences[after.id]}
        if any(after.provenance is not self._stored[after.id].provenance for after in changed):
            names.add("provenance")
        return names

    async def _remember(self) -> None:
        heard = [
            after
            for customer_id, after in self._current.items()
            if after is not self._stored[customer_id]
            and after.provenance != self._stored[customer_id].provenance
            and customer_id not in self._touched
            and not after.differences(self._stored[customer_id])
        ]
        if heard:
            await self._customers.remember(heard)
            for after in heard:
                self.take(after)

    def _record(
        self, customer_ids: Iterable[UUID], differences: Mapping[str, tuple[Any, Any]]
    ) -> None:
        """For the audit log: what was said of the customer, not what follows from their orders."""
        changes = {
            name: FieldChange(old=old, new=new)
            for name, (old, new) in differences.items()
            if name not in _COUNTED
        }
        if changes:
            subjects = [AuditSubject(object="customer", id=str(each)) for each in customer_ids]
            self._uow.record(AuditEntry(subjects, changes))
