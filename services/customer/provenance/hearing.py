"""What sources say of customers: whoever tells of fields of a profile, tells it here."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.customer.customers.changes import CustomerChanges
from services.customer.provenance.repository import ProvenanceRepository
from services.customer.provenance.says import (
    NEWEST,
    Priority,
    Speaker,
    hear,
    is_contested,
    told_fields,
)
from shared.db.unit_of_work import UnitOfWork


class Hearing:
    """Decides, in one unit of work, what of the things said of locked customers counts."""

    def __init__(self, uow: UnitOfWork, changes: CustomerChanges) -> None:
        self._uow = uow
        self._changes = changes
        self._priority: Priority | None = None

    async def hear(self, customer_id: UUID, said: Mapping[str, Any], speaker: Speaker) -> None:
        """Change a locked customer by what is `said`: columns, and parts of profile and attributes.

        What is not said stays; null says that it is nothing.
        """
        record = self._changes[customer_id]
        told = told_fields(record, said)
        if not told:
            return
        priority = NEWEST
        if not speaker.decides and is_contested(record, told, speaker.source):
            priority = await self._of_shop()
        heard = hear(record, told, speaker, priority)
        self._changes.apply(customer_id, heard.changes)
        if heard.provenance != record.provenance:
            self._changes.remember(customer_id, heard.provenance)

    async def _of_shop(self) -> Priority:
        if self._priority is None:
            self._priority = await ProvenanceRepository(self._uow).priority()
        return self._priority
