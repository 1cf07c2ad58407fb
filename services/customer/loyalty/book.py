"""The arithmetic of points: lots, and a double-entry journal of what moves between accounts.

Pure: lots go in, changed lots and entries come out. What a customer has is what the entries add up
to, and equally what is left of their lots: `available` is what is left of those that have matured,
`pending` of the others, `owed` is minus what lots owe.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from services.customer.loyalty.errors import InsufficientPoints
from services.customer.loyalty.lots import (
    Account,
    Balance,
    EntryKind,
    Lot,
    Move,
    MoveKind,
    NextExpiry,
    Posting,
)
from shared.ids import new_id

_NEVER = datetime.max.replace(tzinfo=UTC)


class Book:
    """The open lots of some families, and what is done with them now.

    `roots` says whose family each customer belongs to; lots of one family pay for each other.
    `actor_id` is the member of staff or the key that does it, unknown for the system's own work.
    """

    def __init__(
        self,
        lots: Iterable[Lot],
        *,
        roots: Mapping[UUID, UUID],
        now: datetime,
        actor_id: str | None = None,
    ) -> None:
        self._stored = {lot.id: lot for lot in lots}
        self._lots = dict(self._stored)
        self._roots = roots
        # Whoever settles or spends walks through one family's, however many are in the book.
        self._of_root: dict[UUID, list[UUID]] = defaultdict(list)
        for lot in self:
            self._of_root[roots[lot.customer_id]].append(lot.id)
        self._now = now
        self._actor_id = actor_id
        self.postings: list[Posting] = []
        self.moves: list[Move] = []

    def __iter__(self) -> Iterator[Lot]:
        return iter(self._lots.values())

    @property
    def now(self) -> datetime:
        """The instant of everything that is done; what is earned by it can be spent by it."""
        return self._now

    @property
    def added(self) -> list[Lot]:
        """The lots that are new."""
        return [lot for lot in self if lot.id not in self._stored]

    @property
    def changed(self) -> list[Lot]:
        """The lots that were known and differ from it."""
        return [lot for lot in self if lot.id in self._stored and lot != self._stored[lot.id]]

    def grant(self, lot: Lot, points: int, *, note: str | None = None) -> None:
        """A new lot, without points so far, that is given `points`."""
        self._lots[lot.id] = lot
        self._of_root[self._roots[lot.customer_id]].append(lot.id)
        if lot.available_at <= self._now:
            self._put(lot, matured_at=self._now)
        self._give(lot.id, points, note=note)

    def correct(self, lot_id: UUID, points: int, *, amount_minor: int) -> None:
        """Make `points` of a lot what they ought to be: give what lacks, take back what is over.

        What was spent already is taken from what else there is to spend, and is owed beyond that.
        """
        lot = self._put(self._lots[lot_id], amount_minor=amount_minor)
        if points > lot.points:
            self._give(lot_id, points - lot.points)
        elif points < lot.points:
            self._take_back(lot_id, lot.points - points)

    def keep_time(self, *, only: Collection[UUID] | None = None) -> None:
        """Let what is due become available, debts be paid, what has reached its end expire.

        `only` these lots, or all there are; debts are paid by all.
        """
        for lot in [lot for lot in self if only is None or lot.id in only]:
            if lot.matured_at is None and lot.available_at <= self._now:
                matured = self._put(lot, matured_at=self._now)
                self._move(matured, "mature", "pending", "available", matured.remaining)
                self._tell("available", lot, matured.remaining)
        self.settle()
        for lot_id in [lot.id for lot in self if only is None or lot.id in only]:
            self._expire(lot_id)

    def settle(self) -> None:
        """Have each family pay what it owes from what it can spend.

        Of records that were merged since, one may owe what another has.
        """
        for root_id in list(self._of_root):
            self._settle(root_id)

    def tell_expiry(self, until: datetime) -> None:
        """Have told, once for each lot, what expires until then, all of one moment together."""
        found: dict[tuple[UUID, datetime], list[Lot]] = {}
        for lot in list(self):
            if lot.expires_at is None or lot.expiry_told_at is not None or lot.matured_at is None:
                continue
            if lot.remaining and self._now < lot.expires_at <= until:
                key = (self._roots[lot.customer_id], lot.expires_at)
                found.setdefault(key, []).append(lot)
                self._put(lot, expiry_told_at=self._now)
        for (root_id, expires_at), lots in found.items():
            move = Move(
                kind="expiring",
                root_id=root_id,
                points=sum(lot.remaining for lot in lots),
                lot=lots[0] if len(lots) == 1 else None,
                expires_at=expires_at,
            )
            self.moves.append(move)

    def balances(self) -> dict[UUID, Balance]:
        """What each family has now, if all its open lots are here; what has expired is gone."""
        sums: dict[UUID, list[int]] = {root_id: [0, 0, 0] for root_id in self._roots.values()}
        for lot in self:
            held = sums[self._roots[lot.customer_id]]
            if lot.matured_at is None or not self._has_expired(lot):
                held[0 if lot.matured_at else 1] += lot.remaining
            held[2] += lot.owed
        return {root_id: Balance(*held) for root_id, held in sums.items()}

    def available(self, root_id: UUID) -> int:
        """What a family can spend now."""
        return sum(lot.remaining for lot in self._spendable(root_id))

    def next_expiry(self, root_id: UUID) -> NextExpiry | None:
        """What ends next of what a family can spend now, if anything ends."""
        lots = self._spendable(root_id)
        at = lots[0].expires_at if lots else None
        if at is None:
            return None
        return NextExpiry(sum(lot.remaining for lot in lots if lot.expires_at == at), at)

    def spend(
        self,
        root_id: UUID,
        points: int,
        *,
        kind: Literal["redeem", "adjust"],
        redemption_id: UUID | None = None,
        note: str | None = None,
    ) -> None:
        """Take points of a family, those that expire first first. Raises InsufficientPoints."""
        available = self.available(root_id)
        if available < points:
            raise InsufficientPoints(available)
        to: Account = "redeemed" if kind == "redeem" else "adjusted"
        for lot, part in self._parts(root_id, points):
            self._put(lot, remaining=lot.remaining - part)
            self._move(lot, kind, "available", to, part, redemption_id=redemption_id, note=note)
        is_spent = kind == "redeem"
        move = Move(
            kind="redeemed" if is_spent else "adjusted",
            root_id=root_id,
            points=points if is_spent else -points,
            redemption_id=redemption_id,
            note=note,
        )
        self.moves.append(move)

    def restore(self, lot_id: UUID, points: int, *, redemption_id: UUID) -> None:
        """Give points back to the lot they were redeemed from; they expire when it does.

        What it owes was spent by just such a redemption, and is paid before anything expires.
        """
        lot = self._lots[lot_id]
        paid = min(points, lot.owed)
        rest = points - paid
        self._put(lot, owed=lot.owed - paid, remaining=lot.remaining + rest)
        self._move(lot, "restore", "redeemed", "owed", paid, redemption_id=redemption_id)
        self._move(lot, "restore", "redeemed", "available", rest, redemption_id=redemption_id)
        self._tell_restored(self._roots[lot.customer_id], points, redemption_id)
        self._expire(lot_id)
        self._settle(self._roots[lot.customer_id])

    def _give(self, lot_id: UUID, points: int, *, note: str | None = None) -> None:
        lot = self._lots[lot_id]
        paid = min(points, lot.owed)
        rest = points - paid
        self._put(
            lot, points=lot.points + points, owed=lot.owed - paid, remaining=lot.remaining + rest
        )
        adjusts = lot.kind == "adjustment"
        source: Account = "adjusted" if adjusts else "issued"
        kind: EntryKind = "adjust" if adjusts else "earn"
        self._move(lot, kind, source, "owed", paid, note=note)
        self._move(lot, kind, source, lot.account, rest, note=note)
        self._tell("adjusted" if adjusts else "earned", lot, points, note=note)
        if lot.matured_at is not None:
            if not adjusts:
                self._tell("available", lot, rest)
            self._settle(self._roots[lot.customer_id])

    def _take_back(self, lot_id: UUID, points: int) -> None:
        lot = self._lots[lot_id]
        unspent = min(points, lot.remaining)
        expired = min(points - unspent, lot.expired)
        self._put(
            lot,
            points=lot.points - points,
            remaining=lot.remaining - unspent,
            expired=lot.expired - expired,
        )
        self._tell("reversed", lot, points)
        self._move(lot, "reverse", lot.account, "reversed", unspent)
        self._move(lot, "reverse", "expired", "reversed", expired)
        spent = points - unspent - expired
        for other, part in self._parts(self._roots[lot.customer_id], spent):
            self._put(other, remaining=other.remaining - part)
            self._move(other, "reverse", "available", "reversed", part)
            spent -= part
        lot = self._lots[lot_id]
        self._put(lot, owed=lot.owed + spent)
        self._move(lot, "reverse", "owed", "reversed", spent)

    def _settle(self, root_id: UUID) -> None:
        """Pay what a family owes from what it can spend."""
        debts = [lot for lot in self._family(root_id) if lot.owed]
        for debt in sorted(debts, key=lambda lot: lot.id):
            owed = debt.owed
            for lot, part in self._parts(root_id, owed):
                self._put(lot, remaining=lot.remaining - part)
                if lot.customer_id == debt.customer_id:
                    self._move(lot, "settle", "available", "owed", part)
                else:
                    # Each record's accounts hold what its lots do, also when they part again.
                    self._move(lot, "settle", "available", "reversed", part)
                    self._move(debt, "settle", "reversed", "owed", part)
                owed -= part
            self._put(self._lots[debt.id], owed=owed)

    def _expire(self, lot_id: UUID) -> None:
        lot = self._lots[lot_id]
        if self._has_expired(lot) and lot.matured_at is not None and lot.remaining:
            self._put(lot, remaining=0, expired=lot.expired + lot.remaining)
            self._move(lot, "expire", "available", "expired", lot.remaining)
            self._tell("expired", lot, lot.remaining)

    def _family(self, root_id: UUID) -> Iterator[Lot]:
        return (self._lots[lot_id] for lot_id in self._of_root.get(root_id, ()))

    def _spendable(self, root_id: UUID) -> list[Lot]:
        lots = [
            lot
            for lot in self._family(root_id)
            if lot.remaining and lot.matured_at is not None and not self._has_expired(lot)
        ]
        return sorted(lots, key=lambda lot: (lot.expires_at or _NEVER, lot.id))

    def _has_expired(self, lot: Lot) -> bool:
        return (lot.expires_at or _NEVER) <= self._now

    def _parts(self, root_id: UUID, points: int) -> Iterator[tuple[Lot, int]]:
        """Where points are taken from: the lots that expire first first, as far as they reach."""
        for lot in self._spendable(root_id):
            part = min(points, lot.remaining)
            if part:
                yield lot, part
            points -= part

    def _tell(self, kind: MoveKind, lot: Lot, points: int, *, note: str | None = None) -> None:
        if points:
            root_id = self._roots[lot.customer_id]
            self.moves.append(Move(kind=kind, root_id=root_id, points=points, lot=lot, note=note))

    def _tell_restored(self, root_id: UUID, points: int, redemption_id: UUID) -> None:
        """A redemption goes back to the lots it came from one by one; it is told as one."""
        mine = Move(kind="restored", root_id=root_id, points=points, redemption_id=redemption_id)
        for place, move in enumerate(self.moves):
            if replace(move, points=points) == mine:
                self.moves[place] = replace(mine, points=move.points + points)
                return
        self.moves.append(mine)

    def _put(self, lot: Lot, **columns: Any) -> Lot:
        after = self._lots[lot.id] = replace(lot, **columns)
        return after

    def _move(
        self,
        lot: Lot,
        kind: EntryKind,
        debit: Account,
        credit: Account,
        points: int,
        *,
        redemption_id: UUID | None = None,
        note: str | None = None,
    ) -> None:
        if not points:
            return
        posting = Posting(
            id=new_id(),
            customer_id=lot.customer_id,
            lot_id=lot.id,
            order_id=lot.order_id,
            kind=kind,
            debit=debit,
            credit=credit,
            points=points,
            redemption_id=redemption_id,
            note=note,
            actor_id=self._actor_id,
            created_at=self._now,
        )
        self.postings.append(posting)
