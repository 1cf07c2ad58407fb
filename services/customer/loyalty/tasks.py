"""What time does to points: they can be spent, they expire; tiers are looked at every night."""

from collections.abc import Collection, Mapping
from typing import Final
from uuid import UUID

from services.customer.families.family import Families
from services.customer.loyalty.book import Book
from services.customer.loyalty.ledger_repository import LedgerRepository
from services.customer.loyalty.repository import LoyaltyRepository
from services.customer.loyalty.telling import tell_moves
from services.customer.loyalty.tiers import TierKeeper
from shared.db.sweeps import in_every_tenant
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId
from shared.queue.worker import Periodic

IN_TIME: Final = "tenants_with_points_in_time"
TO_TELL: Final = "tenants_with_points_to_tell_of"
TO_REVIEW: Final = "tenants_with_tiers_to_review"
"""Each names only the shops in which there is something to do: most of the time a few."""

SWEEP_SECONDS: Final = 30.0
_BATCH: Final = 200
_NOBODY: Final = UUID(int=0)


class LoyaltySweeps:
    """Goes through the programmes, batch by committed batch; killed, the next sweep goes on."""

    def __init__(self, units: UnitsOfWork, *, batch: int = _BATCH) -> None:
        self._units = units
        self._batch = batch

    async def keep_time(self) -> None:
        """Let what is due become available, and what has reached its end expire."""
        await in_every_tenant(self._units, IN_TIME, self.keep_time_of)

    async def tell_expiry(self) -> None:
        """Tell of points that are about to expire, as long before as the programme says."""
        await in_every_tenant(self._units, TO_TELL, self.tell_expiry_of)

    async def review_tiers(self) -> None:
        """Once a day of each shop, look who has which tier."""
        await in_every_tenant(self._units, TO_REVIEW, self.review_tiers_of)

    async def keep_time_of(self, tenant: TenantId) -> None:
        """The same for one shop."""
        going_on = True
        while going_on:
            async with self._units.begin(tenant) as uow:
                going_on = await _keep_time(uow, self._batch)
                await uow.commit()

    async def tell_expiry_of(self, tenant: TenantId) -> None:
        """The same for one shop."""
        going_on = True
        while going_on:
            async with self._units.begin(tenant) as uow:
                going_on = await _tell_expiry(uow, self._batch)
                await uow.commit()

    async def review_tiers_of(self, tenant: TenantId) -> None:
        """The same for one shop."""
        going_on = True
        while going_on:
            async with self._units.begin(tenant) as uow:
                going_on = await _review(uow, self._batch)
                await uow.commit()


def loyalty_sweeps(sweeps: LoyaltySweeps) -> list[Periodic]:
    """What the worker does again and again."""
    return [
        Periodic("loyalty.keep_time", SWEEP_SECONDS, sweeps.keep_time),
        Periodic("loyalty.tell_expiry", SWEEP_SECONDS, sweeps.tell_expiry),
        Periodic("loyalty.review_tiers", SWEEP_SECONDS, sweeps.review_tiers),
    ]


async def _keep_time(uow: UnitOfWork, at_most: int) -> bool:
    """Whether there may be more to do."""
    ledger, now = LedgerRepository(uow), uow.clock.now()
    found = [*await ledger.due(now, at_most), *await ledger.over(now, at_most)]
    if not found:
        return False
    members = await _held(uow, {row.customer_id for row in found})
    lots = await ledger.lock(members.keys(), ids={row.id for row in found})
    book = Book(lots, roots=members, now=now)
    book.keep_time()
    await _tell(uow, book, members)
    await ledger.save(book)
    return bool(book.changed)


async def _tell_expiry(uow: UnitOfWork, at_most: int) -> bool:
    """Whether there may be more to tell."""
    programme = await LoyaltyRepository(uow).find_programme()
    until = programme.notice_until(uow.clock.now()) if programme else None
    if until is None:
        return False
    ledger, now = LedgerRepository(uow), uow.clock.now()
    found = await ledger.expiring(now, until, at_most)
    if not found:
        return False
    members = await _held(uow, found)
    book = Book(await ledger.lock(members.keys()), roots=members, now=now)
    book.settle()
    book.tell_expiry(until)
    await _tell(uow, book, members)
    await ledger.save(book)
    return bool(book.changed)


async def _review(uow: UnitOfWork, at_most: int) -> bool:
    """Whether there may be more to do today."""
    loyalty, now = LoyaltyRepository(uow), uow.clock.now()
    row = await loyalty.lock_programme()
    programme = await loyalty.find_programme()
    if row is None or programme is None:
        return False
    today = programme.today(now)
    tomorrow = programme.next_day(now)
    if row.reviewed_on == today and row.reviewed_until is None:
        await loyalty.mark_review(day=today, until=None, due_at=tomorrow)
        return False
    begun = row.reviewed_on == today
    found = await loyalty.walk(
        after=row.reviewed_until if begun else _NOBODY,
        since=programme.window_start(now),
        at_most=at_most,
    )
    members = await _held(uow, found)
    silent = await Families(uow).erased(members)
    await TierKeeper(uow, programme).review(members, touched=set(found), silent=silent)
    until = found[-1] if len(found) == at_most else None
    await loyalty.mark_review(day=today, until=until, due_at=None if until else tomorrow)
    return until is not None


async def _held(uow: UnitOfWork, customer_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Who stands for each member of their families, held before lots and tiers as all do it.

    Whoever writes to them is waited for here, so that what they have added is read afterwards.
    """
    await Families(uow).lock_all(customer_ids)
    return await Families(uow).of_all(customer_ids)


async def _tell(uow: UnitOfWork, book: Book, members: Mapping[UUID, UUID]) -> None:
    """Points of people who were erased go silently: there is nobody to be told of them."""
    tell_moves(uow, book, silent=await Families(uow).erased(members))
