"""What sources say of customers: whoever tells of fields of a profile, tells it here."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.customer.customers.changes import CustomerChanges
from services.customer.customers.says import (
    Heard,
    Speaker,
    Word,
    decide_again,
    hear,
    is_contested,
    take_back,
    told_fields,
    without_earlier,
)
from services.customer.tenants.priorities import UNDECIDED, Priority, PriorityRepository
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
        if not speaker.decides and is_contested(record, told, speaker.source):
            await self.listen()
        self._keep(customer_id, hear(record, told, speaker, self._priority or UNDECIDED))

    async def listen(self) -> None:
        """Know whom the shop believes, so that `take` and `take_back` need to ask nobody."""
        await self._of_shop()

    def take(self, customer_id: UUID, said: Mapping[str, Any], speaker: Speaker) -> None:
        """`hear`, for who has many to tell of and has called `listen`."""
        record = self._changes[customer_id]
        told = told_fields(record, said)
        if told:
            self._keep(customer_id, hear(record, told, speaker, self._priority or UNDECIDED))

    def take_back(self, customer_id: UUID, name: str, word: Word) -> bool:
        """Let a field be as if a source had not said something; False when it has said more since.

        Whoever calls it has called `listen`.
        """
        priority = self._priority or UNDECIDED
        heard = take_back(self._changes[customer_id], name, word, priority)
        if heard is None:
            return False
        self._keep(customer_id, heard)
        return True

    def without_earlier(self, customer_id: UUID, name: str, word: Word, earlier: Word) -> Word:
        """A word, as if its source had not said an earlier one that this has replaced.

        Whoever calls it has called `listen`.
        """
        priority = self._priority or UNDECIDED
        return without_earlier(self._changes[customer_id], name, word, earlier, priority)

    async def decide_again(self, customer_id: UUID) -> None:
        """Change a locked customer by what the shop believes now of what was said before."""
        heard = decide_again(self._changes[customer_id], await self._of_shop())
        self._keep(customer_id, heard)

    def _keep(self, customer_id: UUID, heard: Heard) -> None:
        self._changes.apply(customer_id, heard.changes)
        if heard.provenance != self._changes[customer_id].provenance:
            self._changes.remember(customer_id, heard.provenance)

    async def _of_shop(self) -> Priority:
        if self._priority is None:
            self._priority = await PriorityRepository(self._uow).current()
        return self._priority
