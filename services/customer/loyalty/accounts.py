"""Decisions about the points of customers: what they have, spend, are given."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.customers.errors import CustomerNotFound
from services.customer.customers.repository import CustomerRepository
from services.customer.families.family import Families, Family
from services.customer.loyalty.book import Book
from services.customer.loyalty.earning import Earning
from services.customer.loyalty.errors import (
    ProgrammeNotFound,
    RedemptionNotFound,
    RedemptionTooSmall,
)
from services.customer.loyalty.ledger_repository import LedgerRepository
from services.customer.loyalty.lots import Balance, Lot, NextExpiry
from services.customer.loyalty.repository import LoyaltyRepository
from services.customer.loyalty.schemas import AdjustmentCreate, EventCreate, RedemptionCreate
from services.customer.loyalty.telling import tell_moves
from services.customer.loyalty.terms import Programme, Tier
from services.customer.loyalty.tiers import TierKeeper
from services.customer.timeline.entries import Entry
from shared.audit.trail import AuditEntry
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Invalid
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class Account:
    """What somebody has."""

    customer_id: UUID
    programme: Programme
    balance: Balance
    next_expiry: NextExpiry | None
    tier: Tier | None
    grace_until: Any


@dataclass(frozen=True, slots=True)
class Redemption:
    """Points that were spent, and what is left."""

    columns: Mapping[str, Any]
    available: int


class AccountService:
    """What clients can do with points, as far as they see whose they are.

    `owner` is the shopper who asks, and sees nobody else.
    """

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        loyalty: LoyaltyRepository,
        ledger: LedgerRepository,
        customers: CustomerRepository,
        families: Families,
        actor_id: str,
        owner: UUID | None,
    ) -> None:
        self._uow = uow
        self._loyalty = loyalty
        self._ledger = ledger
        self._customers = customers
        self._families = families
        self._actor_id = actor_id
        self._owner = owner

    async def account(self, customer_id: UUID) -> Account:
        """What somebody has now. Raises CustomerNotFound, ProgrammeNotFound."""
        family = await self._seen_family(customer_id)
        programme = await self._loyalty.find_programme()
        if programme is None:
            raise ProgrammeNotFound
        members = dict.fromkeys(family.member_ids, family.root_id)
        tier = (await TierKeeper(self._uow, programme).current(members)).get(family.root_id)
        rows = await self._loyalty.members(family.member_ids) if tier else []
        held = [row for row in rows if tier is not None and row.tier_id == tier.id]
        grace = [row.grace_until for row in held if row.grace_until]
        book = await self._as_of_now(family)
        return Account(
            customer_id=family.root_id,
            programme=programme,
            balance=book.balances()[family.root_id],
            next_expiry=book.next_expiry(family.root_id),
            tier=tier,
            grace_until=max(grace, default=None),
        )

    async def statement(
        self, customer_id: UUID, kinds: Collection[str], request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of somebody's entries, newest first. Raises CustomerNotFound."""
        family = await self._seen_family(customer_id)
        return await self._ledger.statement(family.member_ids, kinds, request)

    async def redeem(self, given: RedemptionCreate) -> Redemption:
        """Spend points. Raises CustomerNotFound, NoProgramme, InsufficientPoints."""
        programme = await self._loyalty.get_programme()
        if given.points < programme.min_redemption:
            raise RedemptionTooSmall(programme.min_redemption)
        family = await self._locked_family(given.customer_id)
        book = await self._book(family)
        redemption_id = new_id()
        redemption: dict[str, Any] = {
            "id": redemption_id,
            "customer_id": given.customer_id,
            "status": "done",
            "points": given.points,
            "value_minor": given.points * programme.point_value_minor,
            "currency": programme.currency,
            "reference": given.reference,
            "actor_id": self._actor_id,
            "created_at": self._uow.clock.now(),
            "cancelled_at": None,
        }
        book.spend(
            family.root_id,
            given.points,
            kind="redeem",
            redemption_id=redemption_id,
            note=given.reference,
        )
        told = self._entry("loyalty.redeemed", given.customer_id, given.points, given.reference)
        self._uow.record(AuditEntry.of("loyalty_redemption", redemption_id))
        tell_moves(self._uow, book)
        await self._ledger.save(book, redemptions=[redemption], told=[told])
        return Redemption(redemption, book.available(family.root_id))

    async def redemption(self, redemption_id: UUID) -> Redemption:
        """Raises RedemptionNotFound, also when the caller does not see whose it is."""
        row = await self._ledger.redemption(redemption_id)
        try:
            family = await self._seen_family(row.customer_id)
        except CustomerNotFound as error:
            raise RedemptionNotFound from error
        book = await self._as_of_now(family)
        return Redemption(row._asdict(), book.available(family.root_id))

    async def cancel(self, redemption_id: UUID) -> Redemption:
        """Give the points of a redemption back, once. Raises RedemptionNotFound."""
        before = await self._ledger.redemption(redemption_id)
        taken = await self._ledger.redeemed(redemption_id)
        owners = {part.customer_id for part in taken}
        try:
            family, others = await self._locked_with(before.customer_id, owners)
        except CustomerNotFound as error:
            raise RedemptionNotFound from error
        row = await self._ledger.redemption(redemption_id, lock=True)
        told = []
        book = await self._book(family, others=others, ids={part.lot_id for part in taken})
        if row.status == "done":
            for part in taken:
                book.restore(part.lot_id, part.points, redemption_id=redemption_id)
            row = await self._ledger.cancel_redemption(redemption_id)
            told.append(self._entry("loyalty.restored", row.customer_id, row.points, row.reference))
        tell_moves(self._uow, book)
        await self._ledger.save(book, told=told)
        return Redemption(row._asdict(), book.available(family.root_id))

    async def adjust(self, given: AdjustmentCreate) -> Account:
        """Give or take points by hand. Raises CustomerNotFound, InsufficientPoints."""
        family = await self._locked_family(given.customer_id)
        programme = await self._loyalty.get_programme()
        now = self._uow.clock.now()
        book = await self._book(family)  # Later than that: what is given is there at once.
        if given.points > 0:
            lot_id = new_id()
            lot = Lot(
                id=lot_id,
                customer_id=given.customer_id,
                kind="adjustment",
                cause=f"adjustment:{lot_id}",
                earned_at=now,
                available_at=now,
                expires_at=programme.expires_at(now),
            )
            book.grant(lot, given.points, note=given.note)
        else:
            book.spend(family.root_id, -given.points, kind="adjust", note=given.note)
        told = self._entry("loyalty.adjusted", given.customer_id, given.points, given.note)
        tell_moves(self._uow, book)
        await self._ledger.save(book, told=[told])
        return await self.account(given.customer_id)

    async def earn(self, given: EventCreate) -> list[Lot]:
        """What an event has earned. Raises CustomerNotFound, NoProgramme."""
        now = self._uow.clock.now()
        if given.at is not None and given.at > now:
            fault = FieldError("/body/at", "future", "The time has not come yet")
            raise Invalid(errors=[fault])
        await self._locked_family(given.customer_id)
        return await Earning(self._uow).by_event(
            given.customer_id, given.event, reference=given.reference, at=given.at or now
        )

    async def _seen_family(self, customer_id: UUID) -> Family:
        """The family of a customer whom the caller sees."""
        family = await self._families.of(customer_id)
        if self._owner is not None:
            if self._owner not in family.member_ids:
                raise CustomerNotFound
        else:
            await self._customers.get(customer_id)
        return family

    async def _locked_family(self, customer_id: UUID) -> Family:
        await self._customers.get(customer_id)
        family = await self._families.lock(customer_id)
        if customer_id != family.root_id:
            # What is written of a record holds its row; orders do so before they come to lots.
            await self._families.hold(customer_id)
        return family

    async def _locked_with(
        self, customer_id: UUID, owners: Collection[UUID]
    ) -> tuple[Family, Mapping[UUID, UUID]]:
        """Somebody's family, and who stands for each member of others' who were one with them."""
        await self._customers.get(customer_id)
        everybody = {customer_id, *owners}
        root_id = (await self._families.lock_all(everybody))[customer_id]
        if customer_id != root_id:
            await self._families.hold(customer_id)
        members = await self._families.of_all(everybody)
        own = tuple(member for member, its_root in members.items() if its_root == root_id)
        return Family(root_id, own), {each: members[each] for each in members.keys() - set(own)}

    def _entry(self, kind: str, customer_id: UUID, points: int, note: str | None) -> Entry:
        data = {"points": points, "note": note}
        return Entry(
            customer_id=customer_id, type=kind, occurred_at=self._uow.clock.now(), data=data
        )

    async def _as_of_now(self, family: Family) -> Book:
        """What a redemption would find, whether the sweep has been there or not; to be read only.

        It is never saved: what has come and gone is written by the sweep, or by who spends.
        """
        book = Book(
            await self._ledger.open_lots(family.member_ids),
            roots=dict.fromkeys(family.member_ids, family.root_id),
            now=self._uow.clock.now(),
        )
        book.keep_time()
        return book

    async def _book(
        self,
        family: Family,
        *,
        others: Mapping[UUID, UUID] = MappingProxyType({}),
        ids: Collection[UUID] = (),
    ) -> Book:
        """What a family has open, as of now: what is due has come, what is over has gone.

        Of others, who are locked, too, there is what was written last.
        """
        lots = await self._ledger.lock([*family.member_ids, *others], ids=ids)
        book = Book(
            lots,
            roots={**dict.fromkeys(family.member_ids, family.root_id), **others},
            now=self._uow.clock.now(),
            actor_id=self._actor_id,
        )
        book.keep_time(only={lot.id for lot in lots if lot.customer_id not in others})
        return book
