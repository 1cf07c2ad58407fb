"""Taking in a batch of rows: many people, a handful of statements, one transaction.

A dry run decides by the same code and writes none of it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from services.customer.addresses.units import Units
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.errors import IdentityTaken
from services.customer.customers.hearing import Hearing
from services.customer.customers.identity_repository import CONTACTS
from services.customer.customers.record import CustomerRecord
from services.customer.customers.says import ATTRIBUTE, Speaker, told_fields
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
from shared.db.prepared import Bound
from shared.db.turns import Turn, take_turns
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
        self._keys = KeyRepository(uow)
        self._rows = ImportRowRepository(uow)
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

    async def decide(self, rows: Sequence[RowRead]) -> list[RowOutcome]:
        """What is to become of each row."""
        await self._known.look([said for said in rows if said.refused is None])
        await self._hearing.listen()
        outcomes = [self._decide(said) for said in rows]
        self._welcoming.note_what_is_missing()
        await self._listening.leave_out_known_notes()
        return outcomes

    async def take_in(
        self, outcomes: Sequence[RowOutcome], last: Turn[Any], meanwhile: Callable[[], None]
    ) -> None:
        """Have it become so, and have the last turn when all is known of what came of them.

        Raises LostRace when another transaction has brought the same person meanwhile; tried
        again, they are known.
        """
        if self._plan.is_dry:
            for outcome in outcomes:
                self._name(outcome)
            await take_turns(
                [Turn(self._bind_keys, self._keys.add_bound), last], when_all_is_ready=meanwhile
            )
            return
        try:
            newcomers = await self._welcoming.turns()
            keys = Turn(self._bind_keys, self._keep_keys)
            await take_turns(
                [keys, *newcomers, *self._receiving.turns()], when_all_is_ready=meanwhile
            )
        except IdentityTaken as error:
            raise LostRace from error
        await self._welcoming.tell_who_was_given()
        await self._change_the_known(outcomes)
        rows = Turn(partial(self._bind_rows, outcomes), self._rows.add_bound)
        await take_turns([rows, last])

    def _decide(self, said: RowRead) -> RowOutcome:
        outcome = RowOutcome(said.row, "invalid", problems=said.problems)
        customer_id = self._matching.owner(said)
        if said.refused is not None:
            if said.refused == "erased":
                outcome.outcome = "erased"
            elif all(problem.code != said.refused for problem in said.problems):
                outcome.problems.append(Problem(said.refused))
            return outcome
        self._known.leave_out_weighed(said)
        self._leave_out_taken(said, customer_id)
        first = self._known.first_row(customer_id) if customer_id else None
        consents: Sequence[dict[str, Any]] = ()
        if customer_id is None:
            customer_id = self._welcoming.welcome(said, outcome)
        elif customer_id in self._welcoming.newcomers:
            self._welcoming.fill(customer_id, said, outcome)
        elif customer_id in self._changes:
            outcome.outcome = "unchanged"
            consents = self._changes[customer_id].consents
            self._change(customer_id, said, outcome, is_first=first is None)
        elif self._plan.existing != "skip":
            # Known to this dry run alone.
            self._receiving.identities(customer_id, said)
        if self._is_heard(customer_id):
            self._listening.listen(customer_id, said, outcome, consents=consents)
        if first is not None:
            outcome.outcome, outcome.of_row = "merged", first
        outcome.customer_id = customer_id
        name, attributes = self._known_by_now(customer_id, said)
        self._known.remember(said, customer_id, name, attributes)
        return outcome

    def _known_by_now(
        self, customer_id: UUID, said: RowRead
    ) -> tuple[str | None, Mapping[str, Any]]:
        """The name and the attributes of a customer after a row."""
        if customer_id in self._welcoming.newcomers:
            newcomer = self._welcoming.newcomers[customer_id]
            return newcomer.columns.get("name"), newcomer.attributes
        if customer_id in self._changes:
            return self._changes[customer_id].name, self._changes[customer_id].attributes
        # Of whom only this dry run knows: what of it is new to them, it knows as well.
        is_left = self._plan.existing == "skip"
        return (None, {}) if is_left else (said.columns.get("name"), said.attributes)

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

    def _bind_keys(self) -> Bound:
        scope = self._plan.import_id if self._plan.is_dry else LIVE
        return self._keys.bind(self._known.new_keys, scope=scope)

    async def _keep_keys(self, bound: Bound) -> None:
        if await self._keys.add_bound(bound) < len(self._known.new_keys):
            raise LostRace

    def _bind_rows(self, outcomes: Sequence[RowOutcome]) -> Bound:
        return self._rows.bind(self._plan.import_id, (outcome.as_row() for outcome in outcomes))

    async def _change_the_known(self, outcomes: Sequence[RowOutcome]) -> None:
        await self._listening.write()
        await self._changes.save()
        changed = self._changes.compared_anew | self._receiving.recognised_anew
        await self._weighing.weigh_again(changed - self._welcoming.newcomers.keys())
        await self._tell(outcomes)
        await self._weighing.propose(self._receiving.proposals)

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
