"""Decisions about merges: which records become one person's, and what is known of them then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.consents.recording import united
from services.customer.consents.repository import ConsentRepository
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.errors import CustomerIsErased
from services.customer.customers.record import CustomerRecord
from services.customer.customers.repository import CustomerRepository
from services.customer.customers.says import said_of, with_said
from services.customer.duplicates.repository import DuplicateRepository
from services.customer.duplicates.weighing import Weighing
from services.customer.families.family import Families
from services.customer.families.seen import SeenPeople
from services.customer.interactions.repository import InteractionRepository
from services.customer.loyalty.tiers import find_tier_keeper
from services.customer.merges.combining import (
    ATTRIBUTE,
    FIELDS,
    Combination,
    columns_with,
    combine,
    known_fields,
)
from services.customer.merges.errors import NeverMerged, NotMerged, SameCustomer, UnknownField
from services.customer.merges.repository import MergeRepository
from services.customer.merges.schemas import MergeCreate
from services.customer.merges.traces_repository import TraceRepository
from services.customer.orders.figures_repository import OrderFiguresRepository
from services.customer.tenants.shops import Shops
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import TimelineRepository
from shared.audit.trail import AuditEntry
from shared.contracts.audit import AuditSubject
from shared.contracts.customer import CustomerMerged
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.security.principal import Principal
from shared.security.sight import Sight

_MOST_TOLD = 20
_Page = tuple[Sequence[Row[*tuple[Any, ...]]], str | None]


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge has done, or would do: its row of the ledger, and what follows."""

    columns: Mapping[str, Any]
    customer: CustomerRecord
    combination: Combination
    moves: Mapping[str, int]


class MergeService:
    """What clients can do with merges of customers whom they see."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        merges: MergeRepository,
        traces: TraceRepository,
        families: Families,
        duplicates: DuplicateRepository,
        people: SeenPeople,
        shops: Shops,
        weighing: Weighing,
        sight: Sight | None,
        actor: Principal,
    ) -> None:
        self._uow = uow
        self._merges = merges
        self._traces = traces
        self._families = families
        self._duplicates = duplicates
        self._people = people
        self._shops = shops
        self._weighing = weighing
        self._sight = sight
        self._actor = actor
        self._customers = CustomerRepository(uow)
        self._consents = ConsentRepository(uow)

    async def merge(self, customer_id: UUID, given: MergeCreate, *, dry_run: bool) -> Merged:
        """Have one customer stand for others from now on; a dry run only says what would follow.

        Whoever is named by a record that was merged before is whoever stands for that. Raises
        CustomerNotFound, SameCustomer, CustomerIsErased, NeverMerged, UnknownField, NotMerged.
        """
        asked = [customer_id, *given.customer_ids]
        roots = await self._families.lock_all(asked)
        changes = CustomerChanges(self._uow, sight=self._sight)
        await changes.lock(set(roots.values()))
        people = [changes[roots.get(each, each)] for each in asked]
        root, others = people[0], list({each.id: each for each in people[1:]}.values())
        if any(each.id == root.id for each in others):
            raise SameCustomer(each for each in given.customer_ids if roots[each] == root.id)
        if any(each.erased_at is not None for each in people):
            raise CustomerIsErased
        apart = await self._duplicates.told_apart({root.id, *(each.id for each in others)})
        if apart:
            raise NeverMerged(apart)
        choices = _choices(given, roots, {root.id, *(each.id for each in others)})
        members = await self._families.of_all([root.id, *(each.id for each in others)])
        moving = [member for member, its_root in members.items() if its_root != root.id]
        combination = combine(root, others, choices)
        await self._apply(changes, root, combination, members)
        after = changes[root.id]
        merge_id, now = new_id(), self._uow.clock.now()
        columns = {
            "id": merge_id,
            "survivor_id": root.id,
            "status": "done",
            "merged_ids": [str(each.id) for each in others],
            "taken_out": [],
            "reason": given.reason,
            "actor_kind": self._actor.kind.value,
            "actor_id": self._actor.actor_id,
            "taken": [taken.as_json() for taken in combination.taken],
            "tags_added": list(combination.tags_added),
            "outcome": known_fields(after),
            "answered_ids": [],
            "created_at": now,
            "undone_at": None,
            "undone_by": None,
            "version": 1,
        }
        moves = await self._traces.counts(moving)
        interactions = InteractionRepository(self._uow)
        if dry_run:
            planned = {**columns, "id": None, "status": "planned"}
            last_at = await interactions.last_of(list(members))
            after = replace(after, last_interaction_at=last_at)
            return Merged(planned, after, combination, moves)
        answered = await self._duplicates.mark_merged(members, merge_id=merge_id)
        columns["answered_ids"] = [str(pair_id) for pair_id in answered]
        # Linked first: a value that only one person may have is one person's by then.
        linked = await self._link(moving, root.id, {each.id: root.id for each in others})
        changes.touch(root.id)
        await changes.save(out_of=members)
        for record in linked:
            event = CustomerMerged(customer=record.state(), merge_id=merge_id)
            self._uow.append(event, key=record.id)
        row = await self._merges.add(columns, stays=root.id)
        tiers = await find_tier_keeper(self._uow)
        if tiers is not None:
            were_roots = [root.id, *(each.id for each in others)]
            now_one = dict.fromkeys(members, root.id)
            await tiers.unite(now_one, merge_id=merge_id, people=were_roots)
        await self._weighing.weigh_again([root.id])
        await self._tell(row)
        last = await interactions.recount([root.id])
        customer = replace(changes[root.id], last_interaction_at=last[root.id])
        return Merged(row._asdict(), customer, combination, moves)

    async def get(self, merge_id: UUID) -> Row[*tuple[Any, ...]]:
        """Raises MergeNotFound."""
        return await self._merges.get(merge_id)

    async def page(
        self, status: str | None, customer_id: UUID | None, request: PageRequest
    ) -> _Page:
        """A page of merges (that any record of a customer was part of), newest first.

        Raises CustomerNotFound.
        """
        if customer_id is None:
            return await self._merges.page(status, None, request)
        family = await self._people.family(customer_id)
        return await self._merges.page(status, family.member_ids, request)

    async def aliases(
        self, customer_id: UUID, request: PageRequest
    ) -> tuple[Sequence[CustomerRecord], str | None]:
        """A page of the records of a customer, in the order of ids. Raises CustomerNotFound."""
        family = await self._people.family(customer_id)
        return await self._customers.page_of(family.member_ids, request)

    async def _apply(
        self,
        changes: CustomerChanges,
        root: CustomerRecord,
        combination: Combination,
        members: Mapping[UUID, UUID],
    ) -> None:
        """Make the root what is known of all of them."""
        shop = await self._shops.of(self._uow)
        everybody = dict.fromkeys(members, root.id)
        figures = (await OrderFiguresRepository(self._uow).of_families(everybody))[root.id]
        consents = united(await self._consents.latest(members))
        fields = {taken.field: taken.after for taken in combination.taken}
        changes.apply(
            root.id,
            {
                **columns_with(root, fields),
                **figures.columns(shop),
                "tags": [*root.tags, *combination.tags_added],
                "consents": consents,
            },
        )
        said = {
            taken.field: said_of(changes[taken.record_id], taken.field)
            for taken in combination.taken
        }
        changes.remember(root.id, with_said(root, said))

    async def _link(
        self,
        moving: Sequence[UUID],
        root_id: UUID,
        merged: Mapping[UUID, UUID],
    ) -> list[CustomerRecord]:
        """Have the root stand for these records, as they are now."""
        parents = await self._families.parents(moving)
        linked = [
            replace(
                record,
                merged_into=root_id,
                updated_at=self._uow.clock.now(),
                version=record.version + 1,
            )
            for record in await self._customers.records(moving)
        ]
        await self._customers.relink(linked, {**parents, **merged})
        return linked

    async def _tell(self, row: Row[*tuple[Any, ...]]) -> None:
        """The timeline and the audit log."""
        data = {
            "merge_id": str(row.id),
            "customer_ids": row.merged_ids[:_MOST_TOLD],
            "count": len(row.merged_ids),
        }
        entry = Entry(
            customer_id=row.survivor_id,
            type="customer.merged",
            occurred_at=row.created_at,
            data=data,
        )
        await TimelineRepository(self._uow).add([entry])
        self._uow.record(merge_audit(row))


def merge_audit(row: Row[*tuple[Any, ...]]) -> AuditEntry:
    """For the audit log: a merge was done, or undone, and of whom."""
    detail = {"status": row.status, "merged": len(row.merged_ids)}
    return AuditEntry(_subjects(row, row.merged_ids), detail=detail)


def taking_out_audit(row: Row[*tuple[Any, ...]], taken_out: Sequence[str]) -> AuditEntry:
    """For the audit log: some were taken out of a merge that stands."""
    detail = {"status": row.status, "taken_out": len(taken_out)}
    return AuditEntry(_subjects(row, taken_out), detail=detail)


def _subjects(row: Row[*tuple[Any, ...]], others: Sequence[str]) -> list[AuditSubject]:
    return [
        AuditSubject(object="merge", id=str(row.id)),
        AuditSubject(object="customer", id=str(row.survivor_id)),
        *(AuditSubject(object="customer", id=customer_id) for customer_id in others),
    ]


def _choices(
    given: MergeCreate, roots: Mapping[UUID, UUID], involved: set[UUID]
) -> dict[str, UUID]:
    """Of which of the people a field is taken. Raises UnknownField, NotMerged."""
    choices = {}
    for field, record_id in given.fields.items():
        if field not in FIELDS and not field.startswith(ATTRIBUTE):
            raise UnknownField(field)
        root_id = roots.get(record_id)
        if root_id not in involved:
            raise NotMerged(field)
        choices[field] = root_id
    return choices
