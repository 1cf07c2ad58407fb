"""What rows give to customers beside their fields: what they are recognised by, and addresses."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from services.customer.addresses.repository import bind_addresses
from services.customer.addresses.summary import summary_of
from services.customer.addresses.units import Units
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.hearing import Hearing
from services.customer.customers.identities import Identity
from services.customer.customers.identity_repository import CONTACTS, IdentityRepository
from services.customer.customers.recognition import look_alikes
from services.customer.customers.says import Speaker
from services.customer.duplicates.repository import Proposal
from services.customer.imports.plan import RowOutcome
from services.customer.imports.rows import Problem, RowRead
from services.customer.imports.surroundings import Surroundings
from shared.db.prepared import Bound
from shared.db.turns import Turn
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id


class Receiving:
    """Gives customers what they lack, inside one unit of work."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        units: Units,
        known: Surroundings,
        changes: CustomerChanges,
        hearing: Hearing,
        speaker: Speaker,
    ) -> None:
        self._uow = uow
        self._units = units
        self._known = known
        self._changes = changes
        self._hearing = hearing
        self._speaker = speaker
        self._given: list[tuple[UUID, Identity]] = []
        self._addresses: list[dict[str, Any]] = []
        self.proposals: list[Proposal] = []

    @property
    def recognised_anew(self) -> set[UUID]:
        """Who was given an address or a number: by the records that stand for them."""
        return {
            self._changes[customer_id].id
            for customer_id, identity in self._given
            if identity.kind in CONTACTS
        }

    def identities(self, customer_id: UUID, said: RowRead) -> list[Identity]:
        """What a row says that somebody is recognised by, as far as they lack it."""
        new = [i for i in said.identities if not self._known.has(customer_id, i)]
        if said.external is not None and not self._known.has(customer_id, said.external):
            if self._known.owner(said.external) in {None, customer_id}:
                new.append(said.external)
            else:
                said.problems.append(Problem("external_id_taken"))
        contacts = [identity for identity in new if identity.kind != "platform_id"]
        holders = [held for identity in contacts for held in self._known.holders(identity)]
        if holders:
            self.proposals += look_alikes(customer_id, contacts, holders)
        for identity in new:
            self._known.give(customer_id, identity, row=said.row)
        return new

    def give(self, customer_id: UUID, said: RowRead, outcome: RowOutcome) -> None:
        """Give them to a customer who is known."""
        new = self.identities(customer_id, said)
        if new:
            self._given += [(customer_id, identity) for identity in new]
            outcome.added["identities"] = [list(identity.key) for identity in new]
            outcome.has_changed()

    def move(self, customer_id: UUID, said: RowRead, outcome: RowOutcome) -> None:
        """Add an address to those of a customer; the first is the primary one."""
        is_primary = not self._known.has_address(customer_id)
        row = self.add_address(customer_id, said, outcome, is_primary=is_primary)
        if row is None:
            return
        outcome.has_changed()
        if is_primary:
            before = self._changes[customer_id]
            unknown = {
                name: row[name]
                for name in ("province", "country")
                if row[name] is not None and getattr(before, name) is None
            }
            self._hearing.take(customer_id, unknown, self._speaker)
            # What customers carry along is always their primary address, whoever told of it.
            summary = {"profile": {"address": self.summary(row)}}
            self._hearing.take(customer_id, summary, replace(self._speaker, decides=True))

    def house(self, customer_id: UUID, said: RowRead) -> None:
        """Note where a newcomer lives, whose first address is kept with themselves."""
        if said.place is not None:
            self._known.settle(customer_id, said.address or "")

    def add_address(
        self, customer_id: UUID, said: RowRead, outcome: RowOutcome, *, is_primary: bool = False
    ) -> dict[str, Any] | None:
        """The row of an address that they do not have yet; None when there is nothing to add."""
        if said.place is None or self._known.lives_at(customer_id, said.address or ""):
            return None
        row = self.settle(customer_id, said.address, said.place, is_primary=is_primary)
        self.house(customer_id, said)
        outcome.added["address"] = str(row["id"])
        return row

    def settle(
        self,
        customer_id: UUID,
        text: str | None,
        place: Mapping[str, Any],
        *,
        is_primary: bool,
    ) -> dict[str, Any]:
        """The row of an address to be."""
        now = self._speaker.at
        row = {
            "full_address": text,
            "label": "home",
            "is_primary": is_primary,
            **place,
            "id": new_id(),
            "customer_id": customer_id,
            "created_at": now,
            "updated_at": now,
            "version": 1,
        }
        self._addresses.append(row)
        return row

    def summary(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """An address as customers carry it along."""
        return summary_of(row, self._units)

    def turns(self) -> list[Turn[Any]]:
        """How what was given is kept, when those are there who have it. Raises IdentityTaken."""
        return [Turn(self._bind_addresses, self._keep)]

    def _bind_addresses(self) -> Bound | None:
        return bind_addresses(self._uow, self._addresses) if self._addresses else None

    async def _keep(self, addresses: Bound | None) -> None:
        if self._given:
            await IdentityRepository(self._uow).give(self._given)
        if addresses is not None:
            await self._uow.execute_bound(addresses)
