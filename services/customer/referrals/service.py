"""Decisions about referrals: who can bring whom."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.customers.errors import CustomerNotFound
from services.customer.customers.repository import CustomerRepository
from services.customer.families.family import Families, Family
from services.customer.orders.figures_repository import OrderFiguresRepository
from services.customer.referrals.errors import (
    NoReferralProgramme,
    ReferralNotFound,
    ReferralRefused,
    Refusal,
)
from services.customer.referrals.repository import Figures, ReferralRepository
from services.customer.referrals.rewarding import is_same_person
from services.customer.referrals.schemas import ReferralCreate, ReferralProgrammePut
from services.customer.vouchers.codes import new_code, normalised
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Forbidden, Invalid, LostRace
from shared.ids import new_id
from shared.security.sight import Sight
from shared.web.resources import check_version

_PREFIX = "BAN-"
_LENGTH = 8


class ReferralService:
    """What clients can do with referrals. `owner` is the shopper who asks, and sees nobody else."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        referrals: ReferralRepository,
        customers: CustomerRepository,
        families: Families,
        order_figures: OrderFiguresRepository,
        sight: Sight | None,
        owner: UUID | None,
    ) -> None:
        self._uow = uow
        self._referrals = referrals
        self._customers = customers
        self._families = families
        self._order_figures = order_figures
        self._sight = sight
        self._owner = owner

    async def programme(self) -> Row[*tuple[Any, ...]]:
        """Raises ReferralProgrammeNotFound."""
        return await self._referrals.programme()

    async def put_programme(
        self, given: ReferralProgrammePut, *, expected_version: int | None
    ) -> Row[*tuple[Any, ...]]:
        """The programme as it is now. Raises PreconditionFailed."""
        before = await self._referrals.find_programme(lock=True)
        check_version(before.version if before else 0, expected_version)
        now = self._uow.clock.now()
        columns = {**given.model_dump(), "updated_at": now}
        if before is not None:
            return await self._referrals.save_programme(columns)
        added = await self._referrals.add_programme({**columns, "created_at": now, "version": 1})
        if added is None:
            raise LostRace
        return added

    async def code_of(self, customer_id: UUID) -> Row[*tuple[Any, ...]]:
        """Somebody's code, made when they have none. Raises CustomerNotFound."""
        family = await self._seen_family(customer_id)
        known = await self._referrals.codes_of(family.member_ids)
        if known:
            return known[0]
        row = {
            "customer_id": customer_id,
            "code": new_code(_PREFIX, length=_LENGTH),
            "created_at": self._uow.clock.now(),
        }
        added = await self._referrals.add_code(row)
        if added is None:
            raise LostRace
        return added

    async def register(self, given: ReferralCreate) -> Row[*tuple[Any, ...]]:
        """A friend came with a code.

        Raises CustomerNotFound, CustomerIsErased, ReferralCodeNotFound, NoReferralProgramme;
        ReferralRefused for oneself, for a ring, and for whoever was brought or has ordered before.
        """
        await self._customers.get_unerased(given.customer_id)
        # One registration of a shop at a time: three who bring each other at once are a ring, too.
        programme = await self._referrals.find_programme(lock=True)
        if programme is None or not programme.active:
            raise NoReferralProgramme
        code = await self._referrals.code(normalised(given.code))
        friend = await self._families.lock(given.customer_id)
        # An order of the friend's comes before this or after it.
        await self._families.hold(given.customer_id)
        refusal = await self._refusal(code.customer_id, friend)
        if refusal is not None:
            raise ReferralRefused(refusal)
        return await self._referrals.add(
            {
                "id": new_id(),
                "code": code.code,
                "referrer_id": code.customer_id,
                "friend_id": given.customer_id,
                "status": "pending",
                "reason": None,
                "order_id": None,
                "referrer_points": None,
                "friend_points": None,
                "created_at": self._uow.clock.now(),
                "decided_at": None,
            }
        )

    async def get(self, referral_id: UUID) -> Row[*tuple[Any, ...]]:
        """Raises ReferralNotFound, also when the caller does not see the friend."""
        row = await self._referrals.get(referral_id)
        try:
            await self._customers.get(row.friend_id)
        except CustomerNotFound as error:
            raise ReferralNotFound from error
        return row

    async def page(
        self, status: str | None, referrer_id: UUID | None, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of referrals, newest first. Raises CustomerNotFound for the referrer."""
        family = await self._seen_family(referrer_id) if referrer_id else None
        members = family.member_ids if family else None
        return await self._referrals.page({"status": status}, members, request)

    async def figures(self, from_at: datetime, to_at: datetime) -> Figures:
        """What referrals have brought to the whole shop.

        Raises Forbidden, and Invalid for a time that ends before it begins.
        """
        if self._sight is not None:
            raise Forbidden("The report of referrals is for those who see all customers")
        if to_at <= from_at:
            fault = FieldError("/query/to", "ends_before_start", "The end comes after the start")
            raise Invalid(errors=[fault])
        return await self._referrals.figures(from_at, to_at)

    async def _refusal(self, referrer_id: UUID, friend: Family) -> Refusal | None:
        if await is_same_person(self._families, self._referrals, referrer_id, friend.root_id):
            return "same_person"
        if await self._referrals.of_friends(friend.member_ids):
            return "already_referred"
        figures = await self._order_figures.of_records(friend.member_ids)
        if any(each.orders_count for each in figures.values()):
            return "not_new"
        return "ring" if await self._was_brought_by(referrer_id, friend.root_id) else None

    async def _was_brought_by(self, customer_id: UUID, root_id: UUID) -> bool:
        """Whether somebody, or whoever brought them, and so on, was brought by this person."""
        level = await self._families.of_all([customer_id])
        seen: set[UUID] = set()
        while level:
            if root_id in level.values():
                return True
            seen |= level.keys()
            brought = await self._referrals.of_friends(level.keys())
            referrers = {row.referrer_id for row in brought if row.status != "void"} - seen
            level = await self._families.of_all(referrers)
        return False

    async def _seen_family(self, customer_id: UUID) -> Family:
        family = await self._families.of(customer_id)
        if self._owner is None:
            await self._customers.get(customer_id)
        elif self._owner not in family.member_ids:
            raise CustomerNotFound
        return family
