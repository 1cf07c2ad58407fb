"""Decisions about the programme: what it promises, how points are earned, which tiers there are."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.loyalty.repository import LoyaltyRepository
from services.customer.loyalty.schemas import (
    ProgrammePut,
    RuleCreate,
    RulePatch,
    TierCreate,
    TierPatch,
)
from services.customer.tenants.shops import Shop
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Invalid, LostRace
from shared.ids import new_id
from shared.web.resources import check_version


class ProgrammeService:
    """What a shop can decide about its programme."""

    def __init__(self, *, uow: UnitOfWork, loyalty: LoyaltyRepository, shop: Shop) -> None:
        self._uow = uow
        self._loyalty = loyalty
        self._shop = shop

    async def get(self) -> Row[*tuple[Any, ...]]:
        """Raises ProgrammeNotFound."""
        return await self._loyalty.programme_row()

    async def put(
        self, given: ProgrammePut, *, expected_version: int | None
    ) -> Row[*tuple[Any, ...]]:
        """The programme as it is now. Raises PreconditionFailed."""
        before = await self._loyalty.lock_programme()
        check_version(before.version if before else 0, expected_version)
        now = self._uow.clock.now()
        currency = given.currency or self._shop.currency
        if given.point_value.currency != currency:
            detail = f"A point is worth money of the programme's currency, {currency}"
            raise Invalid(
                errors=[FieldError("/body/point_value/currency", "currency_mismatch", detail)]
            )
        if before is not None and before.currency != currency:
            detail = f"Points are earned in {before.currency}, and rules speak of it"
            raise Invalid(errors=[FieldError("/body/currency", "currency_fixed", detail)])
        columns = {
            **given.model_dump(exclude={"point_value"}),
            "currency": currency,
            "point_value_minor": given.point_value.to_money().amount_minor,
            "starts_at": given.starts_at or (before.starts_at if before else now),
            "updated_at": now,
        }
        if before is not None:
            return await self._loyalty.save_programme(columns)
        added = await self._loyalty.add_programme({**columns, "created_at": now, "version": 1})
        if added is None:
            raise LostRace
        return added

    async def rules(self) -> Sequence[Row[*tuple[Any, ...]]]:
        """All rules, the oldest first."""
        return await self._loyalty.rules()

    async def rule(self, rule_id: UUID) -> Row[*tuple[Any, ...]]:
        """Raises RuleNotFound."""
        return await self._loyalty.rule(rule_id)

    async def add_rule(self, given: RuleCreate) -> Row[*tuple[Any, ...]]:
        """A new rule, of the programme's currency. Raises ProgrammeNotFound."""
        programme = await self._loyalty.programme_row()
        if given.per_amount is not None and given.per_amount.currency != programme.currency:
            detail = f"The programme's currency is {programme.currency}"
            raise Invalid(
                errors=[FieldError("/body/per_amount/currency", "currency_mismatch", detail)]
            )
        per_amount = given.per_amount.to_money() if given.per_amount else None
        columns = {
            **given.model_dump(exclude={"per_amount"}),
            "per_amount_minor": per_amount.amount_minor if per_amount else None,
            "currency": per_amount.currency if per_amount else None,
        }
        return await self._loyalty.add_rule({**columns, **self._new_row()})

    async def change_rule(
        self, rule_id: UUID, given: RulePatch, *, expected_version: int | None
    ) -> Row[*tuple[Any, ...]]:
        """The rule after the change. Raises RuleNotFound, PreconditionFailed."""
        before = await self._loyalty.rule(rule_id, lock=True)
        check_version(before.version, expected_version)
        changes = _changes(before, given.model_dump(exclude_unset=True))
        if changes.get("limit_per_customer") is not None and before.kind == "order":
            detail = "A rule of orders has no limit"
            raise Invalid(errors=[FieldError("/body/limit_per_customer", "not_of_orders", detail)])
        starts_at = changes.get("starts_at", before.starts_at)
        ends_at = changes.get("ends_at", before.ends_at)
        if starts_at and ends_at and ends_at <= starts_at:
            detail = "A rule ends after it starts"
            raise Invalid(errors=[FieldError("/body/ends_at", "ends_before_start", detail)])
        if not changes:
            return before
        return await self._loyalty.save_rule(
            rule_id, {**changes, "updated_at": self._uow.clock.now()}
        )

    async def tiers(self) -> Sequence[Row[*tuple[Any, ...]]]:
        """All tiers, the lowest first."""
        return await self._loyalty.tiers()

    async def add_tier(self, given: TierCreate) -> Row[*tuple[Any, ...]]:
        """A new tier. Raises ProgrammeNotFound, TierTaken."""
        await self._loyalty.programme_row()
        return await self._loyalty.add_tier({**given.model_dump(), **self._new_row()})

    async def change_tier(
        self, tier_id: UUID, given: TierPatch, *, expected_version: int | None
    ) -> Row[*tuple[Any, ...]]:
        """The tier after the change. Raises TierNotFound, PreconditionFailed."""
        before = await self._loyalty.tier(tier_id)
        check_version(before.version, expected_version)
        changes = _changes(before, given.model_dump(exclude_unset=True))
        if not changes:
            return before
        return await self._loyalty.save_tier(
            tier_id, {**changes, "updated_at": self._uow.clock.now()}
        )

    async def remove_tier(self, tier_id: UUID) -> None:
        """Raises TierNotFound."""
        await self._loyalty.tier(tier_id)
        await self._loyalty.remove_tier(tier_id)

    def _new_row(self) -> Mapping[str, Any]:
        now = self._uow.clock.now()
        return {"id": new_id(), "created_at": now, "updated_at": now, "version": 1}


def _changes(before: Row[*tuple[Any, ...]], said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: new for name, new in said.items() if getattr(before, name) != new}
