"""Taking in a batch of rows: many people, a handful of statements, one transaction.

A dry run decides by the same code and writes none of it.
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.customer.addresses.units import Units
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.errors import IdentityTaken
from services.customer.customers.hearing import Hearing
from services.customer.customers.identity_repository import CONTACTS
from services.customer.customers.record import CustomerRecord
from services.customer.customers.says import ATTRIBUTE, Speaker, told_fields
from services.customer.duplicates.repository import DuplicateRepository
from services.customer.duplicates.weighing import Weighing
from services.customer.erased.identities import ErasedIdentities
from services.customer.imports.key_repository import LIVE, KeyRepository
from services.customer.imports.listening import Listening
from services.customer.imports.matching import Matching
from services.customer.imports.plan import ImportPlan, RowOutcome
from services.customer.imports.receiving import Receiving
from services.customer.imports.row_repository import ImportRowRepository
from services.customer.imports.rows import MOST_TAGS, Problem, RowRead
from services.customer.imports.surroundings import Surroundings
from services.customer.imports.welcoming import MOST_ATTRIBUTES, Welcoming
from services.customer.tenants.shops import Shop
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import TimelineRepository
from shared.db.codes import CodeAllocator
from shared.db.unit_of_work import UnitOfWork
from shared.errors import LostRace


class RowIntake:
    """Takes in one batch of rows, in their order, inside one unit of work."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        codes: CodeAllocator,
        shop: Shop,
        units: Units,
        erased: ErasedIdentities,
        plan: ImportPlan,
        weighing: Weighing,
    ) -> None:
        self._uow = uow
        self._plan = plan
        self._weighing = weighing
        self._speaker = Speaker(plan.source, uow.clock.now())
        self._changes = CustomerChanges(uow)
        self._hearing = Hearing(uow, self._changes)
        self._known = Surroundings(uow=uow, plan=plan, changes=self._changes, erased=erased)
        self._receiving = Receiving(
            uow=uow,
            units=units,
            known=self._known,
            changes=self._changes,
            hearing=self._hearing,
            speaker=self._speaker,
        )
        self._welcoming = Welcoming(
            uow=uow,
            codes=codes,
            shop=shop,
            plan=plan,
            speaker=self._speaker,
            receiving=self._receiving,
            changes=self._changes,
        )
        self._listening = Listening(uow=uow, plan=plan, known=self._known, changes=self._changes)
        self._matching = Matching(
            plan=plan,
            known=self._known,
            changes=self._changes,
            newcomers=self._welcoming.newcomers,
        )

    @property
    def look_alikes(self) -> int:
        """How many pairs of customers a person should look at."""
        return len(self._receiving.proposals)

    async def take_in(self, rows: Sequence[RowRead]) -> list[RowOutcome]:
        """What became of each row.

        Raises LostRace when another transaction has brought the same person meanwhile; tried
        again, they are known.
        """
        await self._known.look([said for said in rows if said.refused is None])
        await self._hearing.listen()
        outcomes = [self._decide(said) for said in rows]
        self._welcoming.note_what_is_missing()
        await self._listening.leave_out_known_notes()
        if self._plan.is_dry:
            keys = self._known.new_keys
            await KeyRepository(self._uow).add_keys(keys, scope=self._plan.import_id)
            for outcome in outcomes:
                self._name(outcome)
            return outcomes
        await self._write(outcomes)
        return outcomes

    def _decide(self, said: RowRead) -> RowOutcome:
        outcome = RowOutcome(said.row, "invalid", problems=said.problems)
        customer_id = self._matching.owner(said)
        if said.refused is not None:
            if said.refused == "erased":
                outcome.outcome = "erased"
            elif all(problem.code != said.refused for problem in said.problems):
                outcome.problems.append(Problem(said.refused))
            return outcome
        self._leave_out_taken(said, customer_id)
        first = self._known.first_row(customer_id) if customer_id else None
        consents: Sequence[dict[str, Any]] = ()
        if customer_id is None:
            customer_id = self._welcoming.welcome(said, outcome)
        elif customer_id in self._welcoming.newcomers:
            self._welcoming.fill(customer_id, said)
        elif customer_id in self._changes:
            outcome.outcome = "unchanged"
            consents = self._changes[customer_id].consents
            self._change(customer_id, said, outcome, is_first=first is None)
        if self._is_heard(customer_id):
            self._listening.listen(customer_id, said, outcome, consents=consents)
        if first is not None:
            outcome.outcome, outcome.of_row = "merged", first
        outcome.customer_id = customer_id
        self._known.remember(said, customer_id)
        return outcome

    def _leave_out_taken(self, said: RowRead, customer_id: UUID | None) -> None:
        for name in self._known.refuse_taken(said, customer_id):
            column = self._plan.column_of(f"{ATTRIBUTE}{name}")
            said.problems.append(Problem("not_unique", column))

    def _is_heard(self, customer_id: UUID) -> bool:
        return customer_id in self._welcoming.newcomers or (
            customer_id in self._changes and self._plan.existing != "skip"
        )

    def _change(
        self, customer_id: UUID, said: RowRead, outcome: RowOutcome, *, is_first: bool
    ) -> None:
        """Change a customer who is known; what another row has said before stays as it is."""
        if self._plan.existing == "skip":
            return
        before = self._changes[customer_id]
        fills = not is_first or self._plan.existing == "fill"
        self._tag(customer_id, said)
        self._hear(customer_id, said, fills=fills)
        self._receiving.move(customer_id, said, outcome)
        self._receiving.give(customer_id, said, outcome)
        after = self._changes[customer_id]
        differing = after.changes_since(before)
        # Each field of the profile stands there by itself.
        outcome.fields = {name: both for name, both in differing.items() if name != "profile"}
        outcome.said = self._newly_said(before, after)
        if outcome.fields:
            outcome.has_changed()

    def _tag(self, customer_id: UUID, said: RowRead) -> None:
        """Tags are the shop's own words: a file adds to them."""
        tags = self._changes[customer_id].tags
        if not set(said.tags) <= set(tags):
            most = max(MOST_TAGS, len(tags))
            added = list(dict.fromkeys([*tags, *said.tags]))[:most]
            self._changes.apply(customer_id, {"tags": added})

    def _hear(self, customer_id: UUID, said: RowRead, *, fills: bool) -> None:
        """Have the source say what the row tells; `fills` only what is not known of them."""
        before = self._changes[customer_id]
        columns, profile, attributes = said.columns, said.profile, said.attributes
        if fills:
            columns = {name: new for name, new in columns.items() if getattr(before, name) is None}
            profile = {name: new for name, new in profile.items() if name not in before.profile}
            attributes = {n: new for n, new in attributes.items() if n not in before.attributes}
        columns = {
            name: value
            for name, value in columns.items()
            if name not in CONTACTS or not self._known.has_ended(before.id, name, value)
        }
        room = max(MOST_ATTRIBUTES - len(before.attributes), 0)
        new = [name for name in attributes if name not in before.attributes]
        if len(new) > room:
            said.problems.append(Problem("too_many_attributes"))
            attributes = {n: v for n, v in attributes.items() if n not in new[room:]}
        told = {**columns, "profile": profile, "attributes": attributes}
        self._hearing.take(customer_id, told, self._speaker)
        after = self._changes[customer_id]
        now = {**after.fields(), **{f"{ATTRIBUTE}{n}": v for n, v in after.attributes.items()}}
        for name, value in told_fields(after, told).items():
            if now.get(name) != value:
                column = self._plan.column_of(name)
                said.problems.append(Problem("other_source_believed", column))

    def _newly_said(self, before: CustomerRecord, after: CustomerRecord) -> dict[str, Any]:
        """Who had said each field before this row said something new of it."""
        if after.provenance is before.provenance:
            return {}
        known = before.provenance or {}
        new = {
            name: known.get(name)
            for name, entry in (after.provenance or {}).items()
            if entry != known.get(name)
        }
        return {"at": self._speaker.at.isoformat(), "before": new} if new else {}

    def _name(self, outcome: RowOutcome) -> None:
        """Say who it is; a customer of a dry run is nobody."""
        if outcome.customer_id is not None and outcome.customer_id in self._changes:
            outcome.code = self._changes[outcome.customer_id].code
        else:
            outcome.customer_id = None

    async def _write(self, outcomes: Sequence[RowOutcome]) -> None:
        numbers = await self._welcoming.number()
        new_keys = self._known.new_keys
        kept, _ = await asyncio.gather(
            KeyRepository(self._uow).add_keys(new_keys, scope=LIVE),
            asyncio.to_thread(self._welcoming.describe, numbers),
        )
        if kept < len(new_keys):
            raise LostRace
        try:
            await self._welcoming.add()
            await self._receiving.write()
        except IdentityTaken as error:
            raise LostRace from error
        await self._listening.write()
        await self._changes.save()
        changed = self._changes.compared_anew | self._receiving.recognised_anew
        await self._weighing.weigh_again(changed - self._welcoming.newcomers.keys())
        await self._tell(outcomes)
        await DuplicateRepository(self._uow).propose(self._receiving.proposals)
        rows = [outcome.as_row() for outcome in outcomes]
        await ImportRowRepository(self._uow).add_rows(self._plan.import_id, rows)

    async def _tell(self, outcomes: Sequence[RowOutcome]) -> None:
        """Say what an import has changed of whom it found, and note how it has left everybody."""
        entries: list[Entry] = []
        for outcome in outcomes:
            customer_id = outcome.customer_id
            if customer_id is None or customer_id not in self._changes:
                continue
            record = self._changes[customer_id]
            outcome.code = record.code
            if outcome.outcome == "created":
                outcome.customer_version = record.version
            elif outcome.fields or outcome.added:
                outcome.customer_version = record.version
                if customer_id not in self._welcoming.newcomers:
                    told = {"source": self._plan.source, "fields": sorted(outcome.fields)}
                    entries.append(
                        Entry(
                            customer_id=customer_id,
                            type="customer.imported",
                            occurred_at=self._uow.clock.now(),
                            data={**told, **self._plan.origin(outcome.row)},
                        )
                    )
        await TimelineRepository(self._uow).add(entries)
