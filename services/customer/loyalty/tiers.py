"""Who has which tier: raised at once, lowered only after a time of grace."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.loyalty.ledger_repository import LedgerRepository
from services.customer.loyalty.repository import LoyaltyRepository
from services.customer.loyalty.terms import Programme, Tier
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import TimelineRepository
from shared.contracts.loyalty import (
    TierChange,
    TierGraceBegan,
    TierLowered,
    TierRaised,
    TierState,
)
from shared.db.unit_of_work import UnitOfWork

Members = Mapping[UUID, UUID]
"""Of records: who stands for each."""
_Remembered = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Parted:
    """How a merge was undone: what its people had before it, and who has come to them since.

    `survivor_id` stayed with those who are left; `merged_ids` are those whom it had joined until
    then, of whom some may stay. `later` are the merges after it that stand, the
    oldest first, each with its survivor and whom it merged.
    """

    merge_id: UUID
    survivor_id: UUID
    merged_ids: Collection[UUID]
    later: Sequence[tuple[UUID, UUID, Collection[UUID]]]

    @property
    def merge_ids(self) -> list[UUID]:
        """The merges that are to be remembered."""
        return [self.merge_id, *(merge_id for merge_id, _, _ in self.later)]

    def belongs_to(self, merge_id: UUID, customer_id: UUID, members: Members) -> UUID | None:
        """To whom goes the tier that somebody had before a merge; None for nobody.

        What a family had that those who leave now were part of says nothing.
        """
        if merge_id == self.merge_id:
            is_of_it = customer_id in {self.survivor_id, *self.merged_ids}
            return members.get(customer_id) if is_of_it else None
        mixed = {self.survivor_id}
        for each_id, survivor_id, merged_ids in self.later:
            if each_id == merge_id:
                is_of_it = customer_id in {survivor_id, *merged_ids} - mixed
                return members.get(customer_id) if is_of_it else None
            if mixed & {survivor_id, *merged_ids}:
                mixed.add(survivor_id)
        return None

    def without_who_left(
        self, remembered: Collection[_Remembered], members: Members
    ) -> dict[tuple[UUID, UUID], list[_Remembered]]:
        """What later merges have to remember from now on of those whom they found mixed.

        By merge and customer: the tiers that those of the family have had who have not left now.
        """
        known: dict[tuple[UUID, UUID], list[_Remembered]] = defaultdict(list)
        for row in remembered:
            known[row.merge_id, row.customer_id].append(row)
        stay = [each for each in self.merged_ids if members.get(each) == members[self.survivor_id]]
        of_those = [row for each in (self.survivor_id, *stay) for row in known[self.merge_id, each]]
        left_to = {self.survivor_id: of_those}
        found: dict[tuple[UUID, UUID], list[_Remembered]] = {}
        for merge_id, survivor_id, merged_ids in self.later:
            people = {survivor_id, *merged_ids}
            mixed = people & left_to.keys()
            found |= {(merge_id, each): left_to[each] for each in mixed}
            if mixed:
                left_to[survivor_id] = [
                    row
                    for each in people
                    for row in (left_to[each] if each in mixed else known[merge_id, each])
                ]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """`lost` is whoever had a tier of which nothing is known any more, nor of `previous` then."""

    root_id: UUID
    previous: Tier | None
    lost: bool
    tier: Tier | None
    grace_until: datetime | None

    @property
    def is_another(self) -> bool:
        return self.lost or self.previous != self.tier

    @property
    def is_up(self) -> bool:
        if self.lost or self.tier is None:
            return False
        # As high as the one that is no more is no fall.
        return self.previous is None or self.tier.threshold >= self.previous.threshold

    def entry(self, customer_id: UUID, at: datetime) -> Entry:
        data = {
            "from": self.previous.name if self.previous else None,
            "to": self.tier.name if self.tier else None,
        }
        kind = "loyalty.tier_raised" if self.is_up else "loyalty.tier_lowered"
        return Entry(customer_id=customer_id, type=kind, occurred_at=at, data=data)

    def state(self, at: datetime) -> TierChange:
        return TierChange(
            customer_id=self.root_id,
            tier=_tier_state(self.tier),
            previous=_tier_state(self.previous),
            grace_until=self.grace_until,
            changed_at=at,
        )


class TierKeeper:
    """Tiers of families, inside one unit of work. All records of a family have the same."""

    def __init__(self, uow: UnitOfWork, programme: Programme) -> None:
        self._uow = uow
        self._programme = programme
        self._loyalty = LoyaltyRepository(uow)
        self._ledger = LedgerRepository(uow)

    async def current(self, members: Members) -> dict[UUID, Tier]:
        """The tier of each family that has one, by its root."""
        if not self._programme.tiers:
            return {}
        found = defaultdict(set)
        for row in await self._loyalty.members(members.keys()):
            found[members[row.customer_id]].add(row.tier_id)
        highest = {root: self._programme.highest(ids) for root, ids in found.items()}
        return {root: tier for root, tier in highest.items() if tier is not None}

    async def raise_up(self, members: Members, *, touched: Collection[UUID]) -> None:
        """Give families the tier that they have reached, if it is a higher one.

        The timeline of one of the records that were `touched` tells of it: their rows are locked.
        """
        await self._review(members, touched, lower=False)

    async def review(
        self, members: Members, *, touched: Collection[UUID], silent: Collection[UUID] = ()
    ) -> None:
        """The same, and lower those whose grace is over; a time of grace begins or ends.

        Of `silent` families nothing is told.
        """
        await self._review(members, touched, lower=True, silent=silent)

    async def unite(self, members: Members, *, merge_id: UUID, people: Collection[UUID]) -> None:
        """Give those who are one person from now on the highest of their tiers, at least.

        What each of these `people` had is kept for `part`. They are locked.
        """
        if not self._programme.tiers:
            return
        await self._loyalty.remember_tiers(merge_id, people)
        await self._review(members, set(members.values()), lower=True)

    async def part(self, members: Members, *, parted: Parted) -> None:
        """Give those who are no longer one person what each had, or has reached by themselves."""
        if not self._programme.tiers:
            return
        rows = await self._loyalty.remembered_tiers(parted.merge_ids)
        remembered = defaultdict(list)
        for row in rows:
            root_id = parted.belongs_to(row.merge_id, row.customer_id, members)
            if root_id is not None:
                remembered[root_id].append(row)
        roots = set(members.values())
        await self._review(members, roots, lower=True, held_before=remembered)
        without = parted.without_who_left(rows, members)
        highest = {key: self._highest_of(found) for key, found in without.items()}
        await self._loyalty.remember_instead(highest)

    def _highest_of(self, rows: Sequence[_Remembered]) -> _Remembered | None:
        tier = self._programme.highest({row.tier_id for row in rows})
        return next((row for row in rows if tier is not None and row.tier_id == tier.id), None)

    async def _review(
        self,
        members: Members,
        touched: Collection[UUID],
        *,
        lower: bool,
        held_before: Mapping[UUID, Sequence[Row[*tuple[Any, ...]]]] | None = None,
        silent: Collection[UUID] = (),
    ) -> None:
        if not members or not (self._programme.tiers or lower):
            return
        now = self._uow.clock.now()
        kept = defaultdict(list)
        for row in await self._loyalty.members(members.keys()):
            kept[members[row.customer_id]].append(row)
        values = await self._values(members, now)
        put, removed, entries = [], [], []
        for root in set(members.values()):
            rows = kept[root]
            known = rows if held_before is None else held_before.get(root, ())
            held = self._programme.highest({row.tier_id for row in known})
            mine = [row for row in known if held and row.tier_id == held.id]
            grace = max((row.grace_until for row in mine if row.grace_until), default=None)
            since = min((row.since for row in mine), default=now)
            reached = self._programme.tier_of(values[root])
            tier, grace = self._decide(held, reached, grace, now, lower=lower)
            ids = [member for member, its_root in members.items() if its_root == root]
            if tier is None:
                removed += [row.customer_id for row in rows]
            else:
                since = since if tier == held else now
                wanted = {"tier_id": tier.id, "since": since, "grace_until": grace}
                if _differs(rows, wanted, ids):
                    put += [{"customer_id": member, **wanted} for member in ids]
            before = next((row for row in rows if row.customer_id == root), None)
            previous = self._programme.known_tier(before.tier_id if before else None)
            change = _Change(
                root_id=root,
                previous=previous,
                lost=before is not None and previous is None,
                tier=tier,
                grace_until=grace,
            )
            if root in silent:
                continue
            if change.is_another:
                told = next((member for member in ids if member in touched), root)
                entries.append(change.entry(told, now))
            self._tell(change, before.grace_until if before else None, now)
        # In the order of ids, as everybody locks them.
        await self._loyalty.put_members(sorted(put, key=lambda row: row["customer_id"]))
        await self._loyalty.remove_members(removed)
        await TimelineRepository(self._uow).add(sorted(entries, key=lambda e: e.customer_id))

    def _tell(self, change: _Change, had_grace_until: datetime | None, now: datetime) -> None:
        event: TierRaised | TierLowered | TierGraceBegan
        if change.is_another:
            event = (TierRaised if change.is_up else TierLowered)(change=change.state(now))
        elif change.grace_until is not None and had_grace_until is None:
            event = TierGraceBegan(change=change.state(now))
        else:
            return
        self._uow.append(event, key=change.root_id)

    def _decide(
        self,
        held: Tier | None,
        reached: Tier | None,
        grace: datetime | None,
        now: datetime,
        *,
        lower: bool,
    ) -> tuple[Tier | None, datetime | None]:
        """The tier from now on, and until when it is left to somebody who no longer reaches it."""
        if held is None or (reached is not None and reached.threshold >= held.threshold):
            return reached, None
        if not lower:
            return held, grace
        if grace is None:
            grace = now + timedelta(days=self._programme.tier_grace_days)
        return (held, grace) if now < grace else (reached, None)

    async def _values(self, members: Members, now: datetime) -> dict[UUID, int]:
        since = self._programme.window_start(now)
        values: dict[UUID, int] = defaultdict(int)
        for row in await self._ledger.earned(members.keys(), since):
            values[members[row.customer_id]] += int(getattr(row, self._programme.tier_basis))
        return values


def _differs(rows: list[Row[*tuple[Any, ...]]], wanted: Mapping[str, Any], ids: list[UUID]) -> bool:
    same = [row for row in rows if all(getattr(row, name) == wanted[name] for name in wanted)]
    return len(same) < len(ids)


async def find_tier_keeper(uow: UnitOfWork) -> TierKeeper | None:
    """Who keeps the shop's tiers, if it has a programme."""
    programme = await LoyaltyRepository(uow).find_programme()
    return TierKeeper(uow, programme) if programme else None


def _tier_state(tier: Tier | None) -> TierState | None:
    if tier is None:
        return None
    return TierState(tier_id=tier.id, name=tier.name, multiplier_percent=tier.multiplier_percent)
