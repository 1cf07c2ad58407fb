"""Taking merges back: everybody gets what came through them, and nothing is guessed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.addresses.first import FirstAddresses
from services.customer.consents.recording import united
from services.customer.consents.repository import ConsentRepository
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.errors import CustomerIsErased
from services.customer.customers.record import CustomerRecord
from services.customer.customers.repository import CustomerRepository
from services.customer.customers.says import with_said
from services.customer.duplicates.repository import DuplicateRepository
from services.customer.duplicates.weighing import Weighing
from services.customer.families.family import Families, Family
from services.customer.fields.keeping import FieldValues
from services.customer.fields.repository import Holder
from services.customer.interactions.repository import InteractionRepository
from services.customer.leads.repository import LeadRepository
from services.customer.loyalty.tiers import Parted, find_tier_keeper
from services.customer.merges.combining import Taken, columns_with, is_blank, known_fields
from services.customer.merges.errors import MergeUndone, NotInMerge
from services.customer.merges.household import Household, below
from services.customer.merges.parting import Decision, Kept, Parting, divided
from services.customer.merges.questions import ask_again
from services.customer.merges.repository import MergeRepository
from services.customer.merges.service import merge_audit, taking_out_audit
from services.customer.merges.stages import give_back_stages
from services.customer.merges.traces_repository import TraceRepository, Written
from services.customer.orders.figures_repository import OrderFiguresRepository
from services.customer.tenants.shops import Shops
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import TimelineRepository
from shared.contracts.customer import CustomerUnmerged
from shared.db.unit_of_work import UnitOfWork
from shared.security.principal import Principal
from shared.security.sight import Sight

_DERIVED = frozenset({"stage", "address"})


@dataclass(frozen=True, slots=True)
class Undone:
    """What undoing a merge has done, or would do."""

    columns: Mapping[str, Any]
    customer: CustomerRecord
    parted_ids: Sequence[UUID]
    given_back: Sequence[str]
    kept: Sequence[Kept]
    written: Sequence[Written]


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
        weighing: Weighing,
        addresses: FirstAddresses,
        sight: Sight | None,
        actor: Principal,
    ) -> None:
        self._uow = uow
        self._addresses = addresses
        self._merges = merges
        self._traces = traces
        self._families = families
        self._customers = customers
        self._duplicates = duplicates
        self._shops = shops
        self._weighing = weighing
        self._sight = sight
        self._actor = actor

    async def undo(
        self,
        merge_id: UUID,
        *,
        customer_ids: Sequence[UUID] | None,
        never_again: bool,
        dry_run: bool,
    ) -> Undone:
        """Let those whom a merge had joined be themselves again, or only some of them.

        What came through a record goes with it, fields are what they were unless somebody has
        changed them, and what cannot be decided is listed. With `never_again` they are told apart
        for ever. Who was taken out before stays so. Raises MergeNotFound, MergeUndone, NotInMerge,
        CustomerIsErased: of who was erased nobody can tell any more what was whose.
        """
        found = await self._merges.get(merge_id)
        await self._families.lock_all([found.survivor_id])
        row = await self._merges.get(merge_id, lock=True)
        if row.status == "undone":
            raise MergeUndone
        parted_ids = _parted_ids(row, customer_ids)
        household = await self._household(row, parted_ids)
        if household.records[household.root_id].erased_at is not None:
            raise CustomerIsErased
        if not parted_ids:
            return Undone(row._asdict(), household.records[household.root_id], (), (), (), ())
        standing = [
            each for each in await self._merges.standing(household.records) if each.id != row.id
        ]
        decisions = [_decision(each) for each in standing]
        undoing, rest = divided(_decision(row), parted_ids, household.records)
        parting = Parting(household.records, [*decisions, *([rest] if rest.merged_ids else [])])
        kept = _changed_since(row, household.records[row.survivor_id], decisions)
        parting.give_back(undoing)
        kept += [each for each in parting.kept if each not in kept]
        await give_back_stages(self._uow, self._traces, household, parting, [row, *standing])
        changes = CustomerChanges(self._uow, sight=self._sight)
        await changes.lock([household.root_id])
        others = await self._part(household, parting, changes)
        staying = tuple(sorted(household.staying_with(household.root_id)))
        await self._addresses.bring(changes, Family(household.root_id, staying))
        fields = parting.fields.get(row.survivor_id, {})
        undone = Undone(
            columns=row._asdict(),
            customer=changes[household.root_id],
            parted_ids=parted_ids,
            given_back=sorted(fields),
            kept=[each for each in kept if _is_so(each, changes)],
            written=await self._traces.written_since(
                household.path_up(row.survivor_id), row.created_at, roots=household.roots
            ),
        )
        interactions = InteractionRepository(self._uow)
        if dry_run:
            last_at = await interactions.last_of(staying)
            return replace(undone, customer=replace(undone.customer, last_interaction_at=last_at))
        changes.touch(household.root_id)
        await changes.save(out_of=household.records)
        await self._save(household, others, merge_id)
        await self._merges.save(
            [
                _as_row(after)
                for before, after in zip(standing, decisions, strict=True)
                if _differs(before, after)
            ]
        )
        await self._part_tiers(row, household, decisions)
        await self._reopen_leads(household, changes, others)
        asked_again = await ask_again(
            self._duplicates, household, [row, *standing], undone=None if rest.merged_ids else row
        )
        if never_again:
            pairs = [(row.survivor_id, parted_id) for parted_id in parted_ids]
            await self._duplicates.put(pairs, status="dismissed")
        if rest.merged_ids:
            row = await self._take_out(row, parted_ids, rest, fields, asked_again)
        else:
            row = await self._merges.mark_undone(merge_id, actor_id=self._actor.actor_id)
            self._uow.record(merge_audit(row))
        await self._tell(row, parted_ids)
        stay = {household.root_id, *household.leaving.values()}
        await self._addresses.settle(CustomerChanges(self._uow), stay - {household.root_id})
        await self._weighing.weigh_again(stay)
        last = await interactions.recount(stay)
        customer = replace(changes[household.root_id], last_interaction_at=last[household.root_id])
        return replace(undone, columns=row._asdict(), customer=customer)

    async def _household(self, row: Row[*tuple[Any, ...]], parted_ids: Sequence[UUID]) -> Household:
        members = await self._families.of_all([row.survivor_id])
        parents = await self._families.parents(members)
        records = {record.id: record for record in await self._customers.records(members)}
        leaving = below(parted_ids, parents)
        return Household(members[row.survivor_id], records, parents, leaving)

    async def _take_out(
        self,
        row: Row[*tuple[Any, ...]],
        parted_ids: Sequence[UUID],
        rest: Decision,
        fields: Mapping[str, Any],
        asked_again: Collection[str],
    ) -> Row[*tuple[Any, ...]]:
        """The merge, which stands for the rest."""
        done = {"at": self._uow.clock.now().isoformat(), "by": self._actor.actor_id}
        taken_out = [{"customer_id": str(each), **done} for each in parted_ids]
        kept = _as_row(rest)
        row = await self._merges.take_out(
            row.id,
            {
                "merged_ids": [str(each) for each in rest.merged_ids],
                "taken_out": [*row.taken_out, *taken_out],
                "taken": kept["taken"],
                "tags_added": kept["tags_added"],
                # What is given back now was changed by nobody.
                "outcome": {**rest.outcome, **fields},
                "answered_ids": [each for each in row.answered_ids if each not in asked_again],
            },
        )
        self._uow.record(taking_out_audit(row, [str(each) for each in parted_ids]))
        return row

    async def _part(
        self, household: Household, parting: Parting, changes: CustomerChanges
    ) -> list[CustomerRecord]:
        """The root changed, and the other records that change, not written yet."""
        roots, now = household.roots, self._uow.clock.now()
        figures = await OrderFiguresRepository(self._uow).of_families(roots)
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
                columns |= figures[record_id].columns(shop)
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
        self, household: Household, others: Sequence[CustomerRecord], merge_id: UUID
    ) -> None:
        """Write the records besides the root, and tell of those that leave."""
        if others:
            await self._customers.save(others)
        retagged = [each for each in others if each.tags != household.records[each.id].tags]
        if retagged:
            await self._customers.replace_tags(retagged)
        left = [each for each in others if each.id in household.leaving]
        parents = {
            record_id: parent_id
            for record_id, parent_id in household.parents.items()
            if household.leaving.get(record_id) != record_id
        }
        await self._customers.relink(left, parents)
        # Relinked first: what only one person may have, two may have by now.
        await FieldValues(self._uow).keep(
            [Holder(each.id, each.created_at, each.attributes) for each in others]
        )
        for record in left:
            event = CustomerUnmerged(customer=record.state(), merge_id=merge_id)
            self._uow.append(event, key=record.id)

    async def _reopen_leads(
        self, household: Household, changes: CustomerChanges, others: Sequence[CustomerRecord]
    ) -> None:
        """Who has paid for nothing by themselves is a lead again."""
        stages = {record_id: record.stage for record_id, record in household.records.items()}
        stages |= {record.id: record.stage for record in others}
        stages[household.root_id] = changes[household.root_id].stage
        leads = [
            record_id for record_id, root_id in household.roots.items() if stages[root_id] == "lead"
        ]
        if leads:
            await LeadRepository(self._uow).unconvert(leads, self._uow.clock.now())

    async def _part_tiers(
        self, row: Row[*tuple[Any, ...]], household: Household, standing: Sequence[Decision]
    ) -> None:
        tiers = await find_tier_keeper(self._uow)
        if tiers is None:
            return
        later = [(each.id, each.survivor_id, each.merged_ids) for each in standing]
        parted = Parted(
            merge_id=row.id,
            survivor_id=row.survivor_id,
            merged_ids=[UUID(merged_id) for merged_id in row.merged_ids],
            later=[each for each in later if each[0] > row.id],
        )
        await tiers.part(household.roots, parted=parted)

    async def _tell(self, row: Row[*tuple[Any, ...]], parted_ids: Sequence[UUID]) -> None:
        """The timelines of those who are one no more."""
        data = {"merge_id": str(row.id), "count": len(parted_ids)}
        entries = [
            Entry(
                customer_id=customer_id,
                type="customer.unmerged",
                occurred_at=self._uow.clock.now(),
                data=data,
            )
            for customer_id in (row.survivor_id, *parted_ids)
        ]
        await TimelineRepository(self._uow).add(entries)


def _parted_ids(row: Row[*tuple[Any, ...]], wanted: Sequence[UUID] | None) -> list[UUID]:
    """Who of a merge's people is to leave, in its order. Raises NotInMerge."""
    merged_ids = [UUID(merged_id) for merged_id in row.merged_ids]
    if wanted is None:
        return merged_ids
    known = {*merged_ids, *(UUID(taken_out["customer_id"]) for taken_out in row.taken_out)}
    unknown = [place for place, each in enumerate(wanted) if each not in known]
    if unknown:
        raise NotInMerge(unknown)
    return [each for each in merged_ids if each in set(wanted)]


def _is_so(kept: Kept, changes: CustomerChanges) -> bool:
    """Whether a field is still what it was kept as, now that people are at their own address."""
    if kept.field == "address":
        return False
    if kept.record_id not in changes:
        return True
    return bool(known_fields(changes[kept.record_id]).get(kept.field) == kept.value)


def _decision(row: Row[*tuple[Any, ...]]) -> Decision:
    return Decision(
        id=row.id,
        survivor_id=row.survivor_id,
        merged_ids=tuple(map(UUID, row.merged_ids)),
        taken=[Taken.of(taken) for taken in row.taken],
        tags_added=list(row.tags_added),
        outcome=dict(row.outcome),
    )


def _as_row(decision: Decision) -> dict[str, Any]:
    taken = [each.as_json() for each in decision.taken]
    return {
        "id": decision.id,
        "taken": taken,
        "tags_added": decision.tags_added,
        "outcome": decision.outcome,
    }


def _differs(row: Row[*tuple[Any, ...]], decision: Decision) -> bool:
    return {**_as_row(decision), "id": row.id} != {
        "id": row.id,
        "taken": row.taken,
        "tags_added": row.tags_added,
        "outcome": row.outcome,
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
