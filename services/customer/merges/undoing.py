"""Taking merges back: everybody gets what came through them, and nothing is guessed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.consents.recording import united
from services.customer.consents.repository import ConsentRepository
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.record import CustomerRecord
from services.customer.customers.repository import CustomerRepository
from services.customer.customers.says import with_said
from services.customer.duplicates.repository import DuplicateRepository
from services.customer.families.family import Families
from services.customer.fields.keeping import FieldValues
from services.customer.fields.repository import Holder
from services.customer.interactions.repository import InteractionRepository
from services.customer.merges.combining import Taken, columns_with, is_blank, known_fields
from services.customer.merges.errors import MergeUndone
from services.customer.merges.parting import Decision, Kept, Parting
from services.customer.merges.repository import MergeRepository
from services.customer.merges.service import merge_audit
from services.customer.merges.traces_repository import TraceRepository, Written
from services.customer.orders.keeping import figure_columns
from services.customer.orders.repository import OrderRepository
from services.customer.tenants.shops import Shops
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import TimelineRepository
from shared.contracts.customer import CustomerUnmerged
from shared.db.unit_of_work import UnitOfWork
from shared.security.principal import Principal
from shared.security.sight import Sight

_DERIVED = frozenset({"stage"})


@dataclass(frozen=True, slots=True)
class Undone:
    """What undoing a merge has done, or would do."""

    columns: Mapping[str, Any]
    customer: CustomerRecord
    parted_ids: Sequence[UUID]
    given_back: Sequence[str]
    kept: Sequence[Kept]
    written: Sequence[Written]


@dataclass(frozen=True, slots=True)
class _Household:
    """Everybody who is one person before a merge is undone, and who goes with whom after it."""

    root_id: UUID
    records: Mapping[UUID, CustomerRecord]
    parents: Mapping[UUID, UUID]
    leaving: Mapping[UUID, UUID]
    """Of each record that leaves: who stands for it from then on."""

    @property
    def roots(self) -> dict[UUID, UUID]:
        """Of every record: who stands for it after the merge was undone."""
        return {record_id: self.leaving.get(record_id, self.root_id) for record_id in self.records}

    def path_up(self, record_id: UUID) -> list[UUID]:
        """A record, into whom it was merged, and so on up to the root."""
        path = [record_id]
        while path[-1] in self.parents:
            path.append(self.parents[path[-1]])
        return path


class Undoing:
    """What clients can do against merges of customers whom they see."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        merges: MergeRepository,
        traces: TraceRepository,
        families: Families,
        customers: CustomerRepository,
        duplicates: DuplicateRepository,
        shops: Shops,
        sight: Sight | None,
        actor: Principal,
    ) -> None:
        self._uow = uow
        self._merges = merges
        self._traces = traces
        self._families = families
        self._customers = customers
        self._duplicates = duplicates
        self._shops = shops
        self._sight = sight
        self._actor = actor

    async def undo(self, merge_id: UUID, *, never_again: bool, dry_run: bool) -> Undone:
        """Let those whom a merge had joined be themselves again.

        What came through a record goes with it, fields are what they were unless somebody has
        changed them, and what cannot be decided is listed. With `never_again` they are told apart
        for ever. Raises MergeNotFound, MergeUndone.
        """
        found = await self._merges.get(merge_id)
        await self._families.lock_all([found.survivor_id])
        row = await self._merges.get(merge_id, lock=True)
        if row.status == "undone":
            raise MergeUndone
        household = await self._household(row)
        standing = [
            each for each in await self._merges.standing(household.records) if each.id != row.id
        ]
        decisions = [_decision(each) for each in standing]
        parting = Parting(household.records, decisions)
        kept = _changed_since(row, household.records[row.survivor_id], decisions)
        parting.give_back(_decision(row))
        kept += [each for each in parting.kept if each not in kept]
        changes = CustomerChanges(self._uow, sight=self._sight)
        await changes.lock([household.root_id])
        others = await self._part(household, parting, changes)
        fields = parting.fields.get(row.survivor_id, {})
        undone = Undone(
            columns=row._asdict(),
            customer=changes[household.root_id],
            parted_ids=[UUID(merged_id) for merged_id in row.merged_ids],
            given_back=sorted(fields),
            kept=kept,
            written=await self._traces.written_since(
                household.path_up(row.survivor_id), row.created_at
            ),
        )
        if dry_run:
            return undone
        changes.touch(household.root_id)
        await changes.save()
        await self._save(household, others, merge_id)
        await self._merges.save(
            [
                _as_row(after)
                for before, after in zip(standing, decisions, strict=True)
                if _differs(before, after)
            ]
        )
        await self._duplicates.reopen(map(UUID, row.answered_ids), merge_id=merge_id)
        if never_again:
            pairs = [(row.survivor_id, merged_id) for merged_id in undone.parted_ids]
            await self._duplicates.put(pairs, status="dismissed")
        row = await self._merges.mark_undone(merge_id, actor_id=self._actor.actor_id)
        await self._tell(row)
        stay = {household.root_id, *household.leaving.values()}
        last = await InteractionRepository(self._uow).recount(stay)
        customer = replace(changes[household.root_id], last_interaction_at=last[household.root_id])
        return replace(undone, columns=row._asdict(), customer=customer)

    async def _household(self, row: Row[*tuple[Any, ...]]) -> _Household:
        members = await self._families.of_all([row.survivor_id])
        parents = await self._families.parents(members)
        records = {record.id: record for record in await self._customers.records(members)}
        leaving = _below(map(UUID, row.merged_ids), parents)
        return _Household(members[row.survivor_id], records, parents, leaving)

    async def _part(
        self, household: _Household, parting: Parting, changes: CustomerChanges
    ) -> list[CustomerRecord]:
        """The root changed, and the other records that change, not written yet."""
        roots, now = household.roots, self._uow.clock.now()
        figures = await OrderRepository(self._uow).figures_of_families(roots)
        shop = await self._shops.of(self._uow)
        answers: dict[UUID, list[Row[*tuple[Any, ...]]]] = {root_id: [] for root_id in figures}
        for answer in await ConsentRepository(self._uow).latest(roots):
            answers[roots[answer.customer_id]].append(answer)
        others = []
        for record_id, record in household.records.items():
            provenance = with_said(record, parting.said.get(record_id, {}))
            columns = {
                **columns_with(record, parting.fields.get(record_id, {})),
                "tags": parting.tags[record_id],
            }
            if record_id in figures:
                columns |= figure_columns(figures[record_id], shop)
                columns["consents"] = united(answers[record_id])
                if figures[record_id].ever_paid:
                    columns["stage"] = "customer"
            if record_id == household.root_id:
                changes.apply(record_id, columns)
                changes.remember(record_id, provenance)
                continue
            after = replace(record.merged(columns, at=now), provenance=provenance)
            if record_id in household.leaving:
                stands_for_it = household.leaving[record_id]
                others.append(
                    replace(
                        after,
                        merged_into=None if stands_for_it == record_id else stands_for_it,
                        updated_at=now,
                        version=record.version + 1,
                    )
                )
            elif after != record:
                others.append(after)
        return others

    async def _save(
        self, household: _Household, others: Sequence[CustomerRecord], merge_id: UUID
    ) -> None:
        """Write the records besides the root, and tell of those that leave."""
        if others:
            await self._customers.save(others)
        retagged = [each for each in others if each.tags != household.records[each.id].tags]
        if retagged:
            await self._customers.replace_tags(retagged)
        await FieldValues(self._uow).keep(
            [Holder(each.id, each.created_at, each.attributes) for each in others]
        )
        left = [each for each in others if each.id in household.leaving]
        parents = {
            record_id: parent_id
            for record_id, parent_id in household.parents.items()
            if household.leaving.get(record_id) != record_id
        }
        await self._customers.relink(left, parents)
        for record in left:
            event = CustomerUnmerged(customer=record.state(), merge_id=merge_id)
            self._uow.append(event, key=record.id)

    async def _tell(self, row: Row[*tuple[Any, ...]]) -> None:
        """The timelines of all who were one, and the audit log."""
        data = {"merge_id": str(row.id), "count": len(row.merged_ids)}
        entries = [
            Entry(
                customer_id=customer_id,
                type="customer.unmerged",
                occurred_at=row.undone_at,
                data=data,
            )
            for customer_id in (row.survivor_id, *map(UUID, row.merged_ids))
        ]
        await TimelineRepository(self._uow).add(entries)
        self._uow.record(merge_audit(row))


def _below(tops: Iterable[UUID], parents: Mapping[UUID, UUID]) -> dict[UUID, UUID]:
    """Everybody below these and themselves, with who of these is above them."""
    children: dict[UUID, list[UUID]] = {}
    for child_id, parent_id in parents.items():
        children.setdefault(parent_id, []).append(child_id)
    found: dict[UUID, UUID] = {}
    for top in tops:
        waiting = [top]
        while waiting:
            record_id = waiting.pop()
            found[record_id] = top
            waiting += children.get(record_id, ())
    return found


def _decision(row: Row[*tuple[Any, ...]]) -> Decision:
    return Decision(
        id=row.id,
        survivor_id=row.survivor_id,
        merged_ids=tuple(map(UUID, row.merged_ids)),
        taken=[Taken.of(taken) for taken in row.taken],
        tags_added=list(row.tags_added),
    )


def _as_row(decision: Decision) -> dict[str, Any]:
    taken = [each.as_json() for each in decision.taken]
    return {"id": decision.id, "taken": taken, "tags_added": decision.tags_added}


def _differs(row: Row[*tuple[Any, ...]], decision: Decision) -> bool:
    return {**_as_row(decision), "id": row.id} != {
        "id": row.id,
        "taken": row.taken,
        "tags_added": row.tags_added,
    }


def _changed_since(
    row: Row[*tuple[Any, ...]], survivor: CustomerRecord, standing: Collection[Decision]
) -> list[Kept]:
    """The fields that somebody has changed since the merge, be it that nothing was taken there."""
    now = known_fields(survivor)
    taken_later = {
        (taken.field, str(taken.after))
        for decision in standing
        if decision.survivor_id == survivor.id and decision.id > row.id
        for taken in decision.taken
    }
    return [
        Kept(survivor.id, field, now.get(field))
        for field in sorted({*row.outcome, *now} - _DERIVED)
        if now.get(field) != row.outcome.get(field)
        and not (is_blank(field, now.get(field)) and is_blank(field, row.outcome.get(field)))
        and (field, str(now.get(field))) not in taken_later
    ]
