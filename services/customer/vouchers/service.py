"""Decisions about vouchers: who can use which, for what, how often."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.customers.errors import CustomerNotFound
from services.customer.customers.repository import CustomerRepository
from services.customer.families.family import Families, Family
from services.customer.vouchers.codes import new_code, normalised
from services.customer.vouchers.errors import (
    VoucherCodeNotFound,
    VoucherCodeTaken,
    VoucherRedemptionNotFound,
    VoucherRefused,
)
from services.customer.vouchers.repository import VoucherRepository
from services.customer.vouchers.schemas import CodesCreate, VoucherCreate, VoucherPatch, VoucherUse
from services.customer.vouchers.telling import code_state, redemption_state
from services.customer.vouchers.terms import CappedBy, Refusal
from shared.contracts.loyalty import VoucherIssued, VoucherRedeemed, VoucherRedemptionCancelled
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Invalid
from shared.ids import new_id
from shared.money import MoneyInput
from shared.web.resources import check_version

_Page = tuple[Sequence[Row[*tuple[Any, ...]]], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a code is worth on an order, and whose it is there."""

    voucher_id: UUID
    code_id: UUID
    code: str
    customer_id: UUID | None
    person_id: UUID | None
    currency: str
    order_minor: int
    discount_minor: int
    capped_by: CappedBy | None
    is_limited: bool


class VoucherService:
    """What clients can do with vouchers. `owner` is the shopper who asks, and sees nobody else."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        vouchers: VoucherRepository,
        customers: CustomerRepository,
        families: Families,
        actor_id: str,
        owner: UUID | None,
    ) -> None:
        self._uow = uow
        self._vouchers = vouchers
        self._customers = customers
        self._families = families
        self._actor_id = actor_id
        self._owner = owner

    async def create(self, given: VoucherCreate) -> Row[*tuple[Any, ...]]:
        """A new voucher, without codes."""
        now = self._uow.clock.now()
        amounts = {"value", "max_discount", "min_order"}
        return await self._vouchers.add(
            {
                **given.model_dump(exclude=amounts),
                "value_minor": _minor(given.value),
                "max_discount_minor": _minor(given.max_discount),
                "min_order_minor": _minor(given.min_order) or 0,
                "valid_from": given.valid_from or now,
                "id": new_id(),
                "redeemed": 0,
                "created_at": now,
                "updated_at": now,
                "version": 1,
            }
        )

    async def get(self, voucher_id: UUID) -> Row[*tuple[Any, ...]]:
        """Raises VoucherNotFound."""
        return await self._vouchers.get(voucher_id)

    async def page(self, request: PageRequest) -> _Page:
        """A page of vouchers, newest first, and the next cursor."""
        return await self._vouchers.page(request)

    async def change(
        self, voucher_id: UUID, given: VoucherPatch, *, expected_version: int | None
    ) -> Row[*tuple[Any, ...]]:
        """The voucher after the change. Raises VoucherNotFound, PreconditionFailed."""
        before = await self._vouchers.get(voucher_id, lock=True)
        check_version(before.version, expected_version)
        said = given.model_dump(exclude_unset=True)
        changes = {name: new for name, new in said.items() if getattr(before, name) != new}
        if not changes:
            return before
        valid_until = changes.get("valid_until", before.valid_until)
        if valid_until and valid_until <= changes.get("valid_from", before.valid_from):
            detail = "valid_until comes after valid_from"
            raise Invalid(errors=[FieldError("/body/valid_until", "ends_before_start", detail)])
        now = self._uow.clock.now()
        return await self._vouchers.save(voucher_id, {**changes, "updated_at": now})

    async def make_codes(
        self, voucher_id: UUID, given: CodesCreate
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """New codes. Raises VoucherNotFound, VoucherCodeTaken, CustomerNotFound."""
        row = await self._vouchers.get(voucher_id)
        if given.code is not None:
            chosen = self._code_row(voucher_id, normalised(given.code), None)
            added = await self._vouchers.add_codes([chosen])
            if not added:
                raise VoucherCodeTaken
            return added
        named = given.customer_ids or ()
        held = await self._customers.lock(named)
        if len(held) < len(named):
            raise CustomerNotFound
        people: dict[UUID, UUID] = {}
        for each in named:
            # Of a person one, be they named by several of their records.
            people.setdefault(held[each].id, each)
        owners: Sequence[UUID | None] = [*people.values()] or [None] * (given.count or 0)
        made = await self._issue(voucher_id, owners, prefix=given.prefix or "")
        for code in made:
            if code.customer_id is not None:
                root_id = held[code.customer_id].id
                self._uow.append(VoucherIssued(voucher=code_state(code, row, root_id)), key=root_id)
        return made

    async def _issue(
        self, voucher_id: UUID, owners: Sequence[UUID | None], *, prefix: str
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """A code for each of these customers; for None one that is anybody's."""
        made: list[Row[*tuple[Any, ...]]] = []
        waiting = list(owners)
        while waiting:
            rows = [
                self._code_row(voucher_id, normalised(new_code(prefix)), owner) for owner in waiting
            ]
            added = await self._vouchers.add_codes(rows)
            made += added
            # A code that somebody has already is made again.
            kept = {row.id for row in added}
            waiting = [row["customer_id"] for row in rows if row["id"] not in kept]
        return made

    async def find_code(self, code: str) -> Row[*tuple[Any, ...]]:
        """Raises VoucherCodeNotFound, also when it is one of a customer the caller does not see."""
        row = await self._vouchers.code(normalised(code))
        if row.customer_id is not None:
            try:
                await self._seen_family(row.customer_id)
            except CustomerNotFound as error:
                raise VoucherCodeNotFound from error
        return row

    async def codes_of_voucher(self, voucher_id: UUID, request: PageRequest) -> _Page:
        """A page of a voucher's codes, newest first. Raises VoucherNotFound."""
        await self._vouchers.get(voucher_id)
        return await self._vouchers.codes_of_voucher(voucher_id, request)

    async def codes_of_customer(self, customer_id: UUID, request: PageRequest) -> _Page:
        """A page of the codes that somebody was given. Raises CustomerNotFound."""
        family = await self._seen_family(customer_id)
        return await self._vouchers.codes_of_members(family.member_ids, request)

    async def quote(self, given: VoucherUse) -> Quote:
        """What a code is worth on an order now, which others may use until then.

        Raises VoucherCodeNotFound, CustomerNotFound, VoucherRefused.
        """
        code = await self.find_code(given.code)
        who = given.customer_id or code.customer_id
        family = await self._locked_family(who) if who else None
        terms = await self._vouchers.terms(code.voucher_id)
        code = await self._vouchers.lock_code(code.id)
        total = given.order_total.to_money()
        refusal = terms.refusal(total.amount_minor, total.currency, self._uow.clock.now())
        if refusal is not None:
            raise VoucherRefused(refusal)
        if terms.uses_per_code is not None and code.used >= terms.uses_per_code:
            raise VoucherRefused("used_up")
        reason = await self._refusal_of(code, family, terms.limit_per_customer)
        if reason is not None:
            raise VoucherRefused(reason)
        discount_minor, capped_by = terms.discount(total.amount_minor)
        return Quote(
            voucher_id=terms.id,
            code_id=code.id,
            code=code.code,
            customer_id=who,
            person_id=family.root_id if family else None,
            currency=total.currency,
            order_minor=total.amount_minor,
            discount_minor=discount_minor,
            capped_by=capped_by,
            is_limited=terms.limit_total is not None,
        )

    async def redeem(self, given: VoucherUse) -> Row[*tuple[Any, ...]]:
        """Use a code. Raises VoucherCodeNotFound, CustomerNotFound, VoucherRefused."""
        quote = await self.quote(given)
        await self._vouchers.use_code(quote.code_id, 1)
        if quote.is_limited:
            await self._vouchers.count(quote.voucher_id, 1)
        row = await self._vouchers.add_redemption(
            {
                "id": new_id(),
                "voucher_id": quote.voucher_id,
                "code_id": quote.code_id,
                "customer_id": quote.customer_id,
                "status": "done",
                "currency": quote.currency,
                "order_minor": quote.order_minor,
                "discount_minor": quote.discount_minor,
                "reference": given.reference,
                "actor_id": self._actor_id,
                "created_at": self._uow.clock.now(),
                "cancelled_at": None,
            }
        )
        state = redemption_state(row, quote.code, quote.person_id)
        self._uow.append(VoucherRedeemed(redemption=state), key=quote.person_id or quote.code_id)
        return row

    async def redemption(self, redemption_id: UUID) -> Row[*tuple[Any, ...]]:
        """Raises VoucherRedemptionNotFound, also when the caller does not see whose it is."""
        row = await self._vouchers.redemption(redemption_id)
        if row.customer_id is not None:
            try:
                await self._seen_family(row.customer_id)
            except CustomerNotFound as error:
                raise VoucherRedemptionNotFound from error
        return row

    async def cancel(self, redemption_id: UUID) -> Row[*tuple[Any, ...]]:
        """Have a use not count, once. Raises VoucherRedemptionNotFound."""
        before = await self.redemption(redemption_id)
        person_id = None
        if before.customer_id is not None:
            person_id = (await self._families.lock(before.customer_id)).root_id
        terms = await self._vouchers.terms(before.voucher_id)
        code = await self._vouchers.lock_code(before.code_id)
        row = await self._vouchers.redemption(redemption_id, lock=True)
        if row.status == "cancelled":
            return row
        await self._vouchers.use_code(row.code_id, -1)
        if terms.limit_total is not None:
            await self._vouchers.count(row.voucher_id, -1)
        row = await self._vouchers.cancel_redemption(redemption_id)
        state = redemption_state(row, code.code, person_id)
        self._uow.append(VoucherRedemptionCancelled(redemption=state), key=person_id or code.id)
        return row

    async def _refusal_of(
        self, code: Row[*tuple[Any, ...]], family: Family | None, limit: int | None
    ) -> Refusal | None:
        """Why it is not for this customer."""
        if family is None:
            return None if limit is None else "customer_needed"
        if code.customer_id is not None and code.customer_id not in family.member_ids:
            return "not_this_customers"
        if limit is not None:
            times = await self._vouchers.times(code.voucher_id, family.member_ids)
            return "customer_limit_reached" if times >= limit else None
        return None

    async def _seen_family(self, customer_id: UUID) -> Family:
        family = await self._families.of(customer_id)
        if self._owner is None:
            await self._customers.get(customer_id)
        elif self._owner not in family.member_ids:
            raise CustomerNotFound
        return family

    async def _locked_family(self, customer_id: UUID) -> Family:
        await self._customers.get(customer_id)
        return await self._families.lock(customer_id)

    def _code_row(self, voucher_id: UUID, code: str, owner: UUID | None) -> dict[str, Any]:
        return {
            "id": new_id(),
            "voucher_id": voucher_id,
            "code": code,
            "customer_id": owner,
            "used": 0,
            "created_at": self._uow.clock.now(),
        }


def _minor(amount: MoneyInput | None) -> int | None:
    return amount.to_money().amount_minor if amount else None
