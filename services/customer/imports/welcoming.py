"""New customers of a batch: what rows bring of them, made into records and kept."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from services.customer.assignment.assigning import Assigner
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.record import CustomerRecord, new_record
from services.customer.customers.repository import CustomerRepository, NewCustomer
from services.customer.customers.says import Speaker, first_said
from services.customer.imports.newcomers import Newcomer
from services.customer.imports.plan import ImportPlan, RowOutcome
from services.customer.imports.receiving import Receiving
from services.customer.imports.rows import Problem, RowRead
from services.customer.tenants.shops import Shop
from services.customer.timeline.entries import Entry
from shared.contracts.customer import CustomerCreated
from shared.db.codes import CodeAllocator
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id

MOST_ATTRIBUTES: Final = 50


class Welcoming:
    """Customers to be, inside one unit of work.

    What costs time and needs no server is done in a thread while the server is at work.
    """

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        codes: CodeAllocator,
        shop: Shop,
        plan: ImportPlan,
        speaker: Speaker,
        receiving: Receiving,
        changes: CustomerChanges,
    ) -> None:
        self._uow = uow
        self._codes = codes
        self._shop = shop
        self._plan = plan
        self._speaker = speaker
        self._receiving = receiving
        self._changes = changes
        self._records: dict[UUID, CustomerRecord] = {}
        self.newcomers: dict[UUID, Newcomer] = {}

    def welcome(self, said: RowRead, outcome: RowOutcome) -> UUID:
        """The id of who comes with this row."""
        outcome.outcome = "created"
        newcomer = Newcomer.of(said, new_id(), outcome)
        self.newcomers[newcomer.id] = newcomer
        outcome.brought = newcomer.columns
        newcomer.identities += self._receiving.identities(newcomer.id, said)
        return newcomer.id

    def fill(self, customer_id: UUID, said: RowRead) -> None:
        """Let a later row of the same person tell what is not known yet."""
        newcomer = self.newcomers[customer_id]
        newcomer.fill(said)
        newcomer.identities += self._receiving.identities(customer_id, said)

    def note_what_is_missing(self) -> None:
        """Tell of newcomers who lack what the shop asks for, or bring too much."""
        for newcomer in self.newcomers.values():
            missing = [key for key in self._plan.required if key not in newcomer.attributes]
            problems = newcomer.outcome.problems
            problems += [
                Problem("required", self._plan.column_of(f"attributes.{key}")) for key in missing
            ]
            if len(newcomer.attributes) > MOST_ATTRIBUTES:
                problems.append(Problem("too_many_attributes"))

    async def number(self) -> Sequence[int]:
        """Numbers for all of them."""
        if not self.newcomers:
            return ()
        return await self._codes.take(self._uow.tenant_id, "customer", len(self.newcomers))

    def describe(self, numbers: Sequence[int]) -> None:
        """Make records of them; asks no server."""
        for newcomer, number in zip(self.newcomers.values(), numbers, strict=True):
            self._records[newcomer.id] = self._record(newcomer, number)

    async def add(self) -> None:
        """Keep those who were described. Raises IdentityTaken."""
        if not self._records:
            return
        assigner = Assigner(self._uow)
        choices = await assigner.assign(self._records, timezone=self._shop.timezone)
        for customer_id, choice in choices.items():
            given = replace(self._records[customer_id], owner_id=choice.owner_id)
            self._records[customer_id] = given
        new = [NewCustomer(self._records[n.id], n.identities) for n in self.newcomers.values()]
        entries = [self._entry(newcomer) for newcomer in self.newcomers.values()]
        _, events = await asyncio.gather(
            CustomerRepository(self._uow).add(new, entries, tell_holders=False),
            asyncio.to_thread(self._events),
        )
        for event in events:
            self._uow.append(event, key=event.customer.customer_id)
        for record in self._records.values():
            self._changes.take(record)
        await assigner.keep(choices)

    def _events(self) -> list[CustomerCreated]:
        return [CustomerCreated(customer=record.state()) for record in self._records.values()]

    def _record(self, newcomer: Newcomer, number: int) -> CustomerRecord:
        record = new_record(
            {
                **self._home(newcomer),
                "attributes": dict(list(newcomer.attributes.items())[:MOST_ATTRIBUTES]),
                "tags": newcomer.tags,
                "stage": self._plan.stage,
                "source": self._plan.source,
            },
            customer_id=newcomer.id,
            number=number,
            currency=self._shop.currency,
            at=self._uow.clock.now(),
        )
        if newcomer.created_at is not None:
            record = replace(record, created_at=newcomer.created_at)
        return first_said(record, self._speaker)

    def _home(self, newcomer: Newcomer) -> dict[str, Any]:
        """Columns and profile, with what the address says."""
        if newcomer.place is None:
            return {**newcomer.columns, "profile": newcomer.profile}
        row = self._receiving.settle(newcomer.id, newcomer.address, newcomer.place, is_primary=True)
        profile = {**newcomer.profile, "address": self._receiving.summary(row)}
        where = {name: row[name] for name in ("province", "country") if row[name] is not None}
        return {**where, **newcomer.columns, "profile": profile}

    def _entry(self, newcomer: Newcomer) -> Entry:
        record = self._records[newcomer.id]
        return Entry(
            customer_id=record.id,
            type="customer.created",
            occurred_at=record.created_at,
            data={"source": record.source, **self._plan.origin(newcomer.outcome.row)},
        )
