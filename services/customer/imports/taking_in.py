"""Taking in a batch of rows: many people, a handful of statements, one transaction.

A dry run decides by the same code and writes none of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.customer.addresses.placing import AddressReader
from services.customer.addresses.repository import add_addresses
from services.customer.addresses.summary import summary_of
from services.customer.addresses.units import Units
from services.customer.assignment.assigning import Assigner
from services.customer.consents.recording import Answer, ConsentRecorder
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.errors import IdentityTaken
from services.customer.customers.identities import Identity
from services.customer.customers.identity_repository import IdentityRepository
from services.customer.customers.profile import merged_profile
from services.customer.customers.recognition import look_alikes
from services.customer.customers.record import CustomerRecord, new_record
from services.customer.customers.repository import CustomerRepository, NewCustomer
from services.customer.duplicates.repository import DuplicateRepository, Proposal
from services.customer.imports.newcomers import Newcomer
from services.customer.imports.plan import ImportPlan, RowOutcome
from services.customer.imports.repository import LIVE, ImportRepository
from services.customer.imports.rows import MOST_TAGS, Problem, RowRead, row_key
from services.customer.imports.surroundings import Surroundings, contact_key, external_key
from services.customer.notes.repository import NoteRepository
from services.customer.tenants.shops import Shop
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import TimelineRepository
from shared.contracts.customer import CustomerCreated
from shared.db.codes import CodeAllocator
from shared.db.unit_of_work import UnitOfWork
from shared.errors import LostRace
from shared.ids import new_id
from shared.text import search_key

_MOST_ATTRIBUTES: Final = 50


class RowIntake:
    """Takes in one batch of rows, in their order, inside one unit of work."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        codes: CodeAllocator,
        shop: Shop,
        units: Units,
        addresses: AddressReader,
        plan: ImportPlan,
    ) -> None:
        self._uow = uow
        self._codes = codes
        self._shop = shop
        self._units = units
        self._reader = addresses
        self._plan = plan
        self._changes = CustomerChanges(uow)
        self._known = Surroundings(uow, plan, self._changes)
        self._imports = ImportRepository(uow)
        self._newcomers: dict[UUID, Newcomer] = {}
        self._given: list[tuple[UUID, Identity]] = []
        self._addresses: list[dict[str, Any]] = []
        self._notes: list[tuple[UUID, RowRead, RowOutcome]] = []
        self._answers: list[Answer] = []
        self._proposals: list[Proposal] = []

    @property
    def look_alikes(self) -> int:
        """How many pairs of customers a person should look at."""
        return len(self._proposals)

    async def take_in(self, rows: Sequence[RowRead]) -> list[RowOutcome]:
        """What became of each row.

        Raises LostRace when another transaction has brought the same person meanwhile; tried
        again, they are known.
        """
        await self._known.look([said for said in rows if said.refused is None])
        outcomes = [self._decide(said) for said in rows]
        notes = await self._news_in_notes()
        if self._plan.is_dry:
            keys = self._known.new_keys
            await self._imports.add_keys(keys, scope=self._plan.import_id)
            for outcome in outcomes:
                self._name(outcome)
            return outcomes
        await self._write(outcomes, notes)
        return outcomes

    def _decide(self, said: RowRead) -> RowOutcome:
        outcome = RowOutcome(said.row, "invalid", problems=said.problems)
        customer_id = None if said.refused else self._match(said)
        if said.refused:
            if all(problem.code != said.refused for problem in said.problems):
                outcome.problems.append(Problem(said.refused))
            return outcome
        first = self._known.first_row(customer_id) if customer_id else None
        if customer_id is None:
            customer_id = self._welcome(said, outcome)
        elif customer_id in self._newcomers:
            self._fill(self._newcomers[customer_id], said, outcome)
        elif customer_id in self._changes:
            outcome.outcome = "unchanged"
            self._change(customer_id, said, outcome, is_first=first is None)
        if first is not None:
            outcome.outcome, outcome.of_row = "merged", first
        outcome.customer_id = customer_id
        self._known.remember(said, customer_id)
        return outcome

    def _match(self, said: RowRead) -> UUID | None:
        """Whose row it is; None for nobody's yet. What cannot be decided is refused."""
        if said.code is not None:
            found = self._known.of_code(said.code)
            if found is None:
                said.refused = "code_not_known"
            return found
        if said.external is not None:
            owner = self._known.owner(said.external) or self._tried(external_key(said.external))
            if owner is not None:
                return owner
        chosen = self._match_by_contact(said)
        if chosen is not None or said.refused:
            return chosen
        for key in said.keys:
            known = self._known.known_key(key)
            if known is None:
                continue
            found = known.customer_id if known.is_tried else self._known.root(known.customer_id)
            if found and not self._known.has_other_external(found, said.external):
                return found
        return None

    def _tried(self, key: UUID) -> UUID | None:
        known = self._known.known_key(key) if self._plan.is_dry else None
        return known.customer_id if known else None

    def _match_by_contact(self, said: RowRead) -> UUID | None:
        """The one customer with this address or number, where the shop says that this suffices.

        Of several it is the one with the same name; otherwise nobody can tell.
        """
        for kind in self._plan.match_by:
            identities = [identity for identity in said.identities if identity.kind == kind]
            found = {
                root
                for identity in identities
                for held in self._known.holders(identity)
                if (root := self._known.root(held.customer_id)) is not None
                and not self._known.has_other_external(root, said.external)
            }
            if len(found) > 1:
                found = {root for root in found if self._name_key(root) == said.name_key}
                if len(found) != 1:
                    said.refused = "several_customers_match"
                    return None
            tried = (self._tried(contact_key(identity)) for identity in identities)
            chosen = found.pop() if found else next(filter(None, tried), None)
            if chosen is not None:
                return chosen
        return None

    def _name_key(self, customer_id: UUID) -> str:
        newcomer = self._newcomers.get(customer_id)
        name = newcomer.columns.get("name") if newcomer else self._changes[customer_id].name
        return search_key(name) if name else ""

    def _welcome(self, said: RowRead, outcome: RowOutcome) -> UUID:
        outcome.outcome = "created"
        newcomer = Newcomer.of(said, new_id(), outcome)
        self._newcomers[newcomer.id] = newcomer
        outcome.brought = newcomer.columns
        self._receive(newcomer.id, said, newcomer.identities)
        self._listen(newcomer.id, said, outcome, consents=())
        return newcomer.id

    def _fill(self, newcomer: Newcomer, said: RowRead, outcome: RowOutcome) -> None:
        newcomer.fill(said)
        self._receive(newcomer.id, said, newcomer.identities)
        self._listen(newcomer.id, said, outcome, consents=())

    def _change(
        self, customer_id: UUID, said: RowRead, outcome: RowOutcome, *, is_first: bool
    ) -> None:
        """Change a customer who is known; what another row has said before stays as it is."""
        if self._plan.existing == "skip":
            return
        before = self._changes[customer_id]
        fills = not is_first or self._plan.existing == "fill"
        self._changes.apply(customer_id, _told(before, said, fills=fills))
        self._move(customer_id, said, outcome)
        identities: list[Identity] = []
        self._receive(customer_id, said, identities)
        if identities:
            self._given += [(customer_id, identity) for identity in identities]
            outcome.added["identities"] = [list(identity.key) for identity in identities]
            outcome.has_changed()
        differing = self._changes[customer_id].changes_since(before)
        # Each field of the profile stands there by itself.
        outcome.fields = {name: both for name, both in differing.items() if name != "profile"}
        if outcome.fields:
            outcome.has_changed()
        self._listen(customer_id, said, outcome, consents=before.consents)

    def _receive(self, customer_id: UUID, said: RowRead, kept: list[Identity]) -> None:
        """Give a customer what a row says they are recognised by, as far as they lack it."""
        new = [i for i in said.identities if not self._known.has(customer_id, i)]
        if said.external is not None and not self._known.has(customer_id, said.external):
            if self._known.owner(said.external) in {None, customer_id}:
                new.append(said.external)
            else:
                said.problems.append(Problem("external_id_taken"))
        contacts = [identity for identity in new if identity.kind != "platform_id"]
        holders = [held for identity in contacts for held in self._known.holders(identity)]
        if holders:
            self._proposals += look_alikes(customer_id, contacts, holders)
        for identity in new:
            self._known.give(customer_id, identity)
        kept += new

    def _move(self, customer_id: UUID, said: RowRead, outcome: RowOutcome) -> None:
        """Add an address to those of a customer; the first is the primary one."""
        if said.address is None or self._known.lives_at(customer_id, said.address):
            return
        is_primary = not self._known.has_address(customer_id)
        row = self._address(customer_id, said.address, is_primary=is_primary)
        self._known.settle(customer_id, said.address)
        outcome.added["address"] = str(row["id"])
        outcome.has_changed()
        if is_primary:
            self._changes.apply(customer_id, self._summarised(self._changes[customer_id], row))

    def _address(self, customer_id: UUID, text: str, *, is_primary: bool) -> dict[str, Any]:
        now = self._uow.clock.now()
        said = {"full_address": text, "label": "home", "is_primary": is_primary}
        row = {
            **said,
            **self._reader.placed(text),
            "id": new_id(),
            "customer_id": customer_id,
            "created_at": now,
            "updated_at": now,
            "version": 1,
        }
        self._addresses.append(row)
        return row

    def _summarised(self, before: CustomerRecord, row: Mapping[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = {
            "profile": {**before.profile, "address": _summary(row, self._units)}
        }
        for name in ("province", "country"):
            if row[name] is not None and getattr(before, name) is None:
                told[name] = row[name]
        return told

    def _listen(
        self,
        customer_id: UUID,
        said: RowRead,
        outcome: RowOutcome,
        *,
        consents: Sequence[Mapping[str, Any]],
    ) -> None:
        """Keep the note and the answers of a row for later."""
        if said.note:
            self._notes.append((customer_id, said, outcome))
        current = {(known["purpose"], known["channel"]): known for known in consents}
        for consent in said.consents:
            known = current.get((consent.purpose, consent.channel))
            status = "granted" if consent.is_granted else "withdrawn"
            at = said.consent_at or self._uow.clock.now()
            if known is not None and (
                known["status"] == status or at < datetime.fromisoformat(known["changed_at"])
            ):
                continue
            self._answers.append(
                Answer(
                    customer_id=customer_id,
                    purpose=consent.purpose,
                    channel=consent.channel,
                    status=status,  # type: ignore[arg-type]
                    at=at,
                    source=self._plan.source,
                    proof=self._proof(said),
                )
            )
            outcome.added.setdefault("consents", []).append(
                [consent.purpose, consent.channel, status]
            )
            outcome.has_changed()

    def _proof(self, said: RowRead) -> dict[str, Any]:
        proof = {"import_id": str(self._plan.import_id), "row": str(said.row)}
        return proof if said.consent_proof is None else {**proof, "text": said.consent_proof}

    async def _news_in_notes(self) -> list[dict[str, Any]]:
        """The notes that no import has brought before."""
        keyed = [
            (row_key("note", customer_id.hex, said.note or ""), customer_id, said, outcome)
            for customer_id, said, outcome in self._notes
        ]
        scope = self._plan.import_id if self._plan.is_dry else LIVE
        known = set(await self._imports.keys({key for key, *_ in keyed}, scope=scope))
        now = self._uow.clock.now()
        rows: list[dict[str, Any]] = []
        for key, customer_id, said, outcome in keyed:
            if key in known:
                continue
            known.add(key)
            self._known.new_keys[key] = (customer_id, said.row)
            note_id = new_id()
            outcome.added["note"] = str(note_id)
            outcome.has_changed()
            note = {"id": note_id, "customer_id": customer_id, "text": said.note, "pinned": False}
            times = {"created_at": now, "updated_at": now}
            rows.append({**note, **times, "created_by": None, "version": 1})
        return rows

    def _name(self, outcome: RowOutcome) -> None:
        """Say who it is; a customer of a dry run is nobody."""
        if outcome.customer_id is not None and outcome.customer_id in self._changes:
            outcome.code = self._changes[outcome.customer_id].code
        else:
            outcome.customer_id = None

    async def _write(
        self, outcomes: Sequence[RowOutcome], notes: Sequence[Mapping[str, Any]]
    ) -> None:
        new_keys = self._known.new_keys
        if await self._imports.add_keys(new_keys, scope=LIVE) < len(new_keys):
            raise LostRace
        try:
            await self._add()
            if self._given:
                await IdentityRepository(self._uow).give(self._given)
        except IdentityTaken as error:
            raise LostRace from error
        await add_addresses(self._uow, self._addresses)
        await NoteRepository(self._uow).add_many(notes)
        if self._answers:
            recorder = ConsentRecorder(uow=self._uow, changes=self._changes)
            await recorder.record_news(self._answers)
        await self._changes.save()
        await self._tell(outcomes)
        await DuplicateRepository(self._uow).propose(self._proposals)
        await self._imports.add_rows(
            self._plan.import_id, [outcome.as_row() for outcome in outcomes]
        )

    async def _add(self) -> None:
        if not self._newcomers:
            return
        newcomers = list(self._newcomers.values())
        numbers = await self._codes.take(self._uow.tenant_id, "customer", len(newcomers))
        records = {
            newcomer.id: self._record(newcomer, number)
            for newcomer, number in zip(newcomers, numbers, strict=True)
        }
        assigner = Assigner(self._uow)
        choices = await assigner.assign(records, timezone=self._shop.timezone)
        for customer_id, choice in choices.items():
            records[customer_id] = replace(records[customer_id], owner_id=choice.owner_id)
        for record in records.values():
            self._changes.take(record)
            self._uow.append(CustomerCreated(customer=record.state()), key=record.id)
        new = [NewCustomer(records[each.id], each.identities) for each in newcomers]
        entries = [self._created_entry(each, records[each.id]) for each in newcomers]
        await CustomerRepository(self._uow).add(new, entries)
        await assigner.keep(choices)

    def _record(self, newcomer: Newcomer, number: int) -> CustomerRecord:
        now = self._uow.clock.now()
        record = new_record(
            {
                **newcomer.columns,
                "profile": newcomer.profile,
                "attributes": dict(list(newcomer.attributes.items())[:_MOST_ATTRIBUTES]),
                "tags": newcomer.tags,
                "stage": self._plan.stage,
                "source": self._plan.source,
            },
            customer_id=newcomer.id,
            number=number,
            currency=self._shop.currency,
            at=now,
        )
        if newcomer.address is not None:
            row = self._address(newcomer.id, newcomer.address, is_primary=True)
            record = replace(record, **self._summarised(record, row))
        return (
            record
            if newcomer.created_at is None
            else replace(record, created_at=newcomer.created_at)
        )

    def _created_entry(self, newcomer: Newcomer, record: CustomerRecord) -> Entry:
        return Entry(
            customer_id=record.id,
            type="customer.created",
            occurred_at=record.created_at,
            data={"source": record.source, **self._origin(newcomer.outcome)},
        )

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
                if customer_id not in self._newcomers:
                    told = {"source": self._plan.source, "fields": sorted(outcome.fields)}
                    entries.append(
                        Entry(
                            customer_id=customer_id,
                            type="customer.imported",
                            occurred_at=self._uow.clock.now(),
                            data={**told, **self._origin(outcome)},
                        )
                    )
        await TimelineRepository(self._uow).add(entries)

    def _origin(self, outcome: RowOutcome) -> dict[str, Any]:
        return {
            "import_id": str(self._plan.import_id),
            "file_name": self._plan.file_name,
            "row": outcome.row,
        }


def _told(before: CustomerRecord, said: RowRead, *, fills: bool) -> dict[str, Any]:
    """What a row changes of a customer. What it leaves out stays; `fills` touches no more."""
    columns, profile, attributes = said.columns, said.profile, said.attributes
    if fills:
        columns = {name: new for name, new in columns.items() if getattr(before, name) is None}
        profile = {name: new for name, new in profile.items() if name not in before.profile}
        attributes = {n: new for n, new in attributes.items() if n not in before.attributes}
    told = dict(columns)
    if profile:
        told["profile"] = merged_profile(before.profile, profile)
    if attributes:
        merged = {**before.attributes, **attributes}
        told["attributes"] = dict(
            list(merged.items())[: max(_MOST_ATTRIBUTES, len(before.attributes))]
        )
    if said.tags:
        told["tags"] = list(dict.fromkeys([*before.tags, *said.tags]))[
            : max(MOST_TAGS, len(before.tags))
        ]
    return told


def _summary(row: Mapping[str, Any], units: Units) -> dict[str, Any]:
    return summary_of({"postal_code": None, **row}, units)
