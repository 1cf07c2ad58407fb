"""Changes of many customers, gathered first and written once."""

from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

from services.customer.customers.errors import CustomerNotFound
from services.customer.customers.record import CustomerRecord
from services.customer.customers.repository import CustomerRepository
from services.customer.fields.keeping import FieldValues
from services.customer.fields.repository import Holder
from shared.audit.trail import AuditEntry
from shared.contracts.audit import FieldChange
from shared.contracts.customer import CustomerUpdated
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

_COUNTED: Final = frozenset(
    {"orders_count", "total_spent_minor", "first_order_at", "last_order_at", "value_tier"}
)


class CustomerChanges:
    """Customers locked for a change. Whatever is changed, `save` makes it one version and event.

    With the `sight` of a caller, those they do not see are as if they were not there.
    """

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._customers = CustomerRepository(uow, sight=sight)
        self._stored: dict[UUID, CustomerRecord] = {}
        self._current: dict[UUID, CustomerRecord] = {}

    async def lock(self, customer_ids: Collection[UUID]) -> None:
        """Read these customers too, nobody else changing them until the commit."""
        further = sorted(set(customer_ids) - self._stored.keys())
        if further:
            found = await self._customers.lock(further)
            self._stored |= found
            self._current |= found

    def take(self, record: CustomerRecord) -> None:
        """Work on a customer that this very unit of work has added."""
        self._stored[record.id] = self._current[record.id] = record

    def __contains__(self, customer_id: UUID) -> bool:
        return customer_id in self._current

    def __getitem__(self, customer_id: UUID) -> CustomerRecord:
        """The customer with the changes so far. Raises CustomerNotFound when not locked."""
        if customer_id not in self._current:
            raise CustomerNotFound
        return self._current[customer_id]

    def apply(self, customer_id: UUID, changes: Mapping[str, Any]) -> None:
        """Change columns of a customer."""
        before = self[customer_id]
        self._current[customer_id] = before.merged(changes, at=self._uow.clock.now())

    async def save(self) -> list[CustomerRecord]:
        """Write the customers that differ from what is stored, tell others, return them."""
        changed = [
            self._current[customer_id].next_version_of(stored)
            for customer_id, stored in self._stored.items()
            if self._current[customer_id].differences(stored)
        ]
        if not changed:
            return []
        await self._customers.save(changed)
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
            self._record(self._stored[after.id], after)
            self.take(after)
            self._uow.append(CustomerUpdated(customer=after.state()), key=after.id)
        return changed

    def _record(self, before: CustomerRecord, after: CustomerRecord) -> None:
        """For the audit log: what was said of the customer, not what follows from their orders."""
        changes = {
            name: FieldChange(old=old, new=new)
            for name, (old, new) in after.changes_since(before).items()
            if name not in _COUNTED
        }
        if changes:
            self._uow.record(AuditEntry.of("customer", after.id, changes))
