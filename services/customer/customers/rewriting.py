"""Rewriting records as they are, the merged ones, too.

Who stands for a person is changed by `CustomerChanges`. This is for what is to be gone from every
record, from which it would come back once they are parted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.customers.record import CustomerRecord
from services.customer.customers.repository import CustomerRepository
from services.customer.fields.keeping import FieldValues
from services.customer.fields.repository import Holder
from shared.contracts.customer import CustomerUpdated
from shared.db.unit_of_work import UnitOfWork


def rewritten(
    record: CustomerRecord,
    changes: Mapping[str, Any],
    provenance: Mapping[str, Any] | None,
    *,
    at: datetime,
) -> CustomerRecord:
    """The next version, with these columns and says; the very same if none of them differs."""
    after = record.merged(changes, at=at)
    if (provenance or None) == (record.provenance or None):
        return after
    if after is record:
        after = replace(record, updated_at=at, version=record.version + 1)
    return replace(after, provenance=provenance or None)


async def rewrite(
    uow: UnitOfWork, before: Mapping[UUID, CustomerRecord], after: Iterable[CustomerRecord]
) -> list[CustomerRecord]:
    """Write what has become of records of locked families, and tell others; those that differ."""
    changed = [record for record in after if record is not before[record.id]]
    if not changed:
        return []
    for record in changed:
        uow.append(CustomerUpdated(customer=record.state()), key=record.id)
    customers = CustomerRepository(uow)
    await customers.save(changed)
    retagged = [record for record in changed if record.tags != before[record.id].tags]
    if retagged:
        await customers.replace_tags(retagged)
    await FieldValues(uow).keep(
        [
            Holder(record.id, record.created_at, record.attributes)
            for record in changed
            if record.attributes != before[record.id].attributes
        ]
    )
    return changed
