"""What records of one person had said before they were merged: that was weighed by the merge."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.customers.changes import CustomerChanges
from services.customer.customers.record import CustomerRecord
from services.customer.customers.repository import CustomerRepository
from services.customer.customers.says import ATTRIBUTE, values_said, values_then
from services.customer.imports.plan import field_columns
from services.customer.imports.rows import Consent, RowRead
from services.customer.merges.combining import Taken
from services.customer.merges.repository import MergeRepository
from shared.db.unit_of_work import UnitOfWork


class Weighed:
    """Tells what is new in the rows of merged customers, inside one unit of work.

    A merge chooses between what the records say. A row that only repeats what its record had said
    then is no reason to choose otherwise.
    """

    def __init__(self, uow: UnitOfWork, changes: CustomerChanges) -> None:
        self._changes = changes
        self._customers = CustomerRepository(uow)
        self._merges = MergeRepository(uow)
        self._merged: dict[UUID, CustomerRecord] = {}
        self._taken: dict[UUID, dict[str, list[Taken]]] = {}

    async def look(self, record_ids: Collection[UUID], roots: Mapping[UUID, UUID]) -> None:
        """Look up what these records had said, as far as they were merged with others."""
        families = {root for member, root in roots.items() if member != root}
        wanted = {each for each in record_ids if roots.get(each) in families}
        if not wanted:
            return
        merged = await self._customers.records(wanted - families)
        self._merged = {record.id: record for record in merged}
        for survivor_id, fields in await self._merges.taken_by(wanted):
            of_survivor = self._taken.setdefault(survivor_id, defaultdict(list))
            for taken in map(Taken.of, fields):
                of_survivor[taken.field].append(taken)

    def leave_out(self, said: RowRead) -> None:
        """Take away from a row what the records that it has led to had said before."""
        for record_id in said.record_ids:
            record = self._merged.get(record_id)
            if record is None and record_id not in self._taken:
                continue
            said.columns = self._news(record_id, said.columns)
            said.profile = self._news(record_id, said.profile)
            said.attributes = self._news(record_id, said.attributes, prefix=ATTRIBUTE)
            if record is not None:
                said.tags = [tag for tag in said.tags if tag not in record.tags]
                said.consents = [
                    one for one in said.consents if not _has_answered(record, one, said)
                ]

    def _news(
        self, record_id: UUID, told: Mapping[str, Any], *, prefix: str = ""
    ) -> dict[str, Any]:
        return {
            name: value
            for name, value in told.items()
            if value not in self._values(record_id, f"{prefix}{name}")
        }

    def _values(self, record_id: UUID, field: str) -> list[Any]:
        """What a record has said of a field: when it was merged, and whenever it took another's."""
        record = self._merged.get(record_id)
        values = [] if record is None else values_said(record, field)
        record = record or self._changes[record_id]
        for taken in self._taken.get(record_id, {}).get(field, ()):
            before = field_columns({field: taken.before})[field]
            values += values_then(record, field, taken.said_before, before)
        return values


def _has_answered(record: CustomerRecord, consent: Consent, said: RowRead) -> bool:
    """Whether a record had the same answer, of this time or a later one."""
    status = "granted" if consent.is_granted else "withdrawn"
    return said.consent_at is not None and any(
        (one["purpose"], one["channel"], one["status"])
        == (consent.purpose, consent.channel, status)
        and said.consent_at <= datetime.fromisoformat(one["changed_at"])
        for one in record.consents
    )
