"""New customers of a batch: what rows bring of them, made into records and kept."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final
from uuid import UUID

from services.customer.assignment.assigning import Assigner
from services.customer.assignment.choosing import Choice
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.new_customers import NewCustomer, NewCustomers
from services.customer.customers.record import CustomerRecord, new_record
from services.customer.customers.says import Speaker, first_said
from services.customer.imports.newcomers import Newcomer
from services.customer.imports.plan import ImportPlan, RowOutcome
from services.customer.imports.receiving import Receiving
from services.customer.imports.rows import Problem, RowRead
from services.customer.tenants.shops import Shop
from services.customer.timeline.entries import Entry
from shared.db.codes import CodeAllocator
from shared.db.prepared import Bound
from shared.db.turns import Turn
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id

MOST_ATTRIBUTES: Final = 50
# Few enough that the server is soon at work, and many enough that their number costs nothing.
_TOGETHER: Final = 400

Numbered = tuple[Newcomer, int]


class Welcoming:
    """Customers to be, inside one unit of work."""

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
        self._assigner = Assigner(uow)
        self._new_customers = NewCustomers(uow)
        self._records: dict[UUID, CustomerRecord] = {}
        self._choices: Mapping[UUID, Choice] = {}
        self.newcomers: dict[UUID, Newcomer] = {}

    def welcome(self, said: RowRead, outcome: RowOutcome) -> UUID:
        """The id of who comes with this row."""
        outcome.outcome = "created"
        newcomer = Newcomer.of(said, new_id(), outcome)
        self.newcomers[newcomer.id] = newcomer
        outcome.brought = newcomer.columns
        newcomer.identities += self._receiving.identities(newcomer.id, said)
        self._receiving.house(newcomer.id, said)
        return newcomer.id

    def fill(self, customer_id: UUID, said: RowRead, outcome: RowOutcome) -> None:
        """Let a later row of the same person tell what is not known yet."""
        newcomer = self.newcomers[customer_id]
        if newcomer.place is None:
            self._receiving.house(customer_id, said)
        else:
            self._receiving.add_address(customer_id, said, outcome)
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

    async def turns(self) -> list[Turn[Any]]:
        """How they are kept, some at a time: described in a thread, while others are written.

        Writing them raises IdentityTaken.
        """
        if not self.newcomers:
            return []
        taken = await self._codes.take(self._uow.tenant_id, "customer", len(self.newcomers))
        numbered = list(zip(self.newcomers.values(), taken, strict=True))
        if await self._assigner.has_rules():
            await asyncio.to_thread(self._describe, numbered)
            self._choices = await self._assigner.assign(self._records, timezone=self._shop.timezone)
        parts = [numbered[at : at + _TOGETHER] for at in range(0, len(numbered), _TOGETHER)]
        return [Turn(partial(self._bind, part), self._keep) for part in parts]

    async def tell_who_was_given(self) -> None:
        """Log who was given whom by the rules of the shop."""
        await self._assigner.keep(self._choices)

    def _describe(self, numbered: Sequence[Numbered]) -> None:
        for newcomer, number in numbered:
            self._records[newcomer.id] = self._record(newcomer, number)

    def _bind(self, numbered: Sequence[Numbered]) -> tuple[Sequence[NewCustomer], Bound]:
        if numbered[0][0].id not in self._records:
            self._describe(numbered)
        for newcomer, _ in numbered:
            choice = self._choices.get(newcomer.id)
            if choice is not None:
                given = replace(self._records[newcomer.id], owner_id=choice.owner_id)
                self._records[newcomer.id] = given
        new = [NewCustomer(self._records[n.id], n.identities) for n, _ in numbered]
        return new, self._new_customers.bind(new, [self._entry(n) for n, _ in numbered])

    async def _keep(self, ready: tuple[Sequence[NewCustomer], Bound]) -> None:
        new, bound = ready
        await self._new_customers.add_bound(new, bound)
        for each in new:
            self._changes.take(each.record)

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
            at=self._speaker.at,
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
