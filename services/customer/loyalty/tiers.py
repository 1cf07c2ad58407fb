"""Who has which tier: raised at once, lowered only after a time of grace."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.loyalty.ledger_repository import LedgerRepository
from services.customer.loyalty.repository import LoyaltyRepository
from services.customer.loyalty.terms import Programme, Tier
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import TimelineRepository
from shared.db.unit_of_work import UnitOfWork

Members = Mapping[UUID, UUID]
"""Of records: who stands for each."""


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

    async def review(self, members: Members, *, touched: Collection[UUID]) -> None:
        """The same, and lower those whose grace is over; a time of grace begins or ends."""
        await self._review(members, touched, lower=True)

    async def _review(self, members: Members, touched: Collection[UUID], *, lower: bool) -> None:
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
            held = self._programme.highest({row.tier_id for row in rows})
            reached = self._programme.tier_of(values[root])
            grace = max((row.grace_until for row in rows if row.grace_until), default=None)
            since = min((row.since for row in rows if held and row.tier_id == held.id), default=now)
            tier, grace = self._decide(held, reached, grace, now, lower=lower)
            ids = [member for member, its_root in members.items() if its_root == root]
            told = next((member for member in ids if member in touched), root)
            if tier is None:
                removed += [row.customer_id for row in rows]
            else:
                since = since if tier == held else now
                wanted = {"tier_id": tier.id, "since": since, "grace_until": grace}
                if _differs(rows, wanted, ids):
                    put += [{"customer_id": member, **wanted} for member in ids]
            if tier != held:
                entries.append(_tier_entry(told, held, tier, now))
        # In the order of ids, as everybody locks them.
        await self._loyalty.put_members(sorted(put, key=lambda row: row["customer_id"]))
        await self._loyalty.remove_members(removed)
        await TimelineRepository(self._uow).add(sorted(entries, key=lambda e: e.customer_id))

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


def _tier_entry(customer_id: UUID, held: Tier | None, tier: Tier | None, at: datetime) -> Entry:
    raised = tier is not None and (held is None or tier.threshold > held.threshold)
    data = {"from": held.name if held else None, "to": tier.name if tier else None}
    kind = "loyalty.tier_raised" if raised else "loyalty.tier_lowered"
    return Entry(customer_id=customer_id, type=kind, occurred_at=at, data=data)
