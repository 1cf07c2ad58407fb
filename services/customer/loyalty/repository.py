"""SQL of what the shop promises: programme, rules, tiers; and who has which tier."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Table,
    Uuid,
    bindparam,
    delete,
    func,
    select,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.loyalty.errors import (
    NoProgramme,
    ProgrammeNotFound,
    RuleNotFound,
    TierNotFound,
    TierTaken,
)
from services.customer.loyalty.models import (
    loyalty_lot,
    loyalty_member,
    loyalty_programme,
    loyalty_rule,
    loyalty_tier,
    loyalty_tier_before,
)
from services.customer.loyalty.terms import Programme, Rule, Tier
from services.customer.tenants.shops import Shop
from shared.db.rows import RowsParameter
from shared.db.tables import Instant, part_tables
from shared.db.unit_of_work import UnitOfWork
from shared.errors import NotFound

_tenant = part_tables("customer").tenant
_TENANT = bindparam("tenant", type_=Uuid)
_ID = bindparam("id", type_=Uuid)
_IDS = bindparam("ids", type_=ARRAY(Uuid))
_AFTER = bindparam("after", type_=Uuid)
_AT_MOST = bindparam("at_most", type_=Integer)
_RULE_COLUMNS = tuple(Rule.__slots__)
_TIER_COLUMNS = tuple(Tier.__slots__)
_REMEMBERED_AT_MOST: Final = 20


def _of_tenant(table: Table, *where: ColumnElement[bool]) -> Any:
    return select(table).where(table.c.tenant_id == _TENANT, *where)


# A shop is Vietnamese until it was provisioned here, which comes a moment after it opens.
_UNKNOWN = Shop()
_PROGRAMME = (
    select(
        loyalty_programme, func.coalesce(_tenant.c.timezone, _UNKNOWN.timezone).label("timezone")
    )
    .outerjoin(_tenant, _tenant.c.tenant_id == _TENANT)
    .where(loyalty_programme.c.tenant_id == _TENANT)
)
_LOCK_PROGRAMME = _of_tenant(loyalty_programme).with_for_update()
_ADD_PROGRAMME = (
    insert(loyalty_programme)
    .on_conflict_do_nothing(index_elements=["tenant_id"])
    .returning(*loyalty_programme.c)
)
_RULES = _of_tenant(loyalty_rule).order_by(loyalty_rule.c.created_at, loyalty_rule.c.id)
_RULE = _of_tenant(loyalty_rule, loyalty_rule.c.id == _ID)
_LOCK_RULE = _RULE.with_for_update()
_ADD_RULE = insert(loyalty_rule).returning(*loyalty_rule.c)
_IS_CURRENT = loyalty_tier.c.removed_at.is_(None)
_TIERS = _of_tenant(loyalty_tier, _IS_CURRENT).order_by(loyalty_tier.c.threshold)
_KNOWN_TIERS = _of_tenant(loyalty_tier).order_by(loyalty_tier.c.threshold)
_REMOVED_TIERS = _of_tenant(loyalty_tier, loyalty_tier.c.removed_at.is_not(None)).order_by(
    loyalty_tier.c.removed_at.desc(), loyalty_tier.c.id.desc()
)
_TIER = _of_tenant(loyalty_tier, loyalty_tier.c.id == _ID, _IS_CURRENT).with_for_update()
_ADD_TIER = (
    insert(loyalty_tier)
    .on_conflict_do_nothing(index_elements=["tenant_id", "threshold"], index_where=_IS_CURRENT)
    .returning(*loyalty_tier.c)
)
_FORGET_TIERS = delete(loyalty_tier).where(
    loyalty_tier.c.tenant_id == _TENANT, loyalty_tier.c.id == func.any(_IDS)
)
_MEMBERS = _of_tenant(loyalty_member, loyalty_member.c.customer_id == func.any(_IDS))

_MEMBER_COLUMNS = ("customer_id", "tier_id", "since", "grace_until")
_members = RowsParameter("member", loyalty_member, _MEMBER_COLUMNS)
_new_member = insert(loyalty_member).from_select(
    ["tenant_id", *_MEMBER_COLUMNS], select(_TENANT, *_members.source.c)
)
_PUT_MEMBERS = _new_member.on_conflict_do_update(
    index_elements=["tenant_id", "customer_id"],
    set_={name: _new_member.excluded[name] for name in ("tier_id", "since", "grace_until")},
)
_REMOVE_MEMBERS = delete(loyalty_member).where(
    loyalty_member.c.tenant_id == _TENANT, loyalty_member.c.customer_id == func.any(_IDS)
)

_BEFORE_COLUMNS = ("merge_id", *_MEMBER_COLUMNS)
_before = RowsParameter("before", loyalty_tier_before, _BEFORE_COLUMNS)
_REMEMBER = (
    insert(loyalty_tier_before)
    .from_select(["tenant_id", *_BEFORE_COLUMNS], select(_TENANT, *_before.source.c))
    .on_conflict_do_nothing()
)
_other = RowsParameter("other", loyalty_tier_before, ("merge_id", "customer_id"))
_FORGET_REMEMBERED = delete(loyalty_tier_before).where(
    loyalty_tier_before.c.tenant_id == _TENANT,
    loyalty_tier_before.c.merge_id == _other.source.c.merge_id,
    loyalty_tier_before.c.customer_id == _other.source.c.customer_id,
)
_REMEMBERED = _of_tenant(loyalty_tier_before, loyalty_tier_before.c.merge_id == func.any(_IDS))


def _walk() -> Any:
    """Whose tier may have changed: who has one, and who has earned anything of late."""
    with_tier = select(loyalty_member.c.customer_id).where(
        loyalty_member.c.tenant_id == _TENANT, loyalty_member.c.customer_id > _AFTER
    )
    earning = (
        select(loyalty_lot.c.customer_id)
        .distinct()
        .where(
            loyalty_lot.c.tenant_id == _TENANT,
            loyalty_lot.c.customer_id > _AFTER,
            loyalty_lot.c.earned_at >= bindparam("since", type_=Instant),
        )
    )
    each = [
        statement.order_by("customer_id").limit(_AT_MOST).subquery().select()
        for statement in (with_tier, earning)
    ]
    found = union(*each).subquery("found")
    return select(found.c.customer_id).order_by(found.c.customer_id).limit(_AT_MOST)


_WALK = _walk()


class LoyaltyRepository:
    """The programme of one shop, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant: Mapping[str, Any] = {"tenant": uow.tenant_id}

    async def find_programme(self) -> Programme | None:
        """The programme with its rules and tiers, if the shop has one."""
        row = await self._uow.one_or_none(_PROGRAMME, self._tenant)
        if row is None:
            return None
        rules, tiers = await self.rules(), await self._uow.rows(_KNOWN_TIERS, self._tenant)
        return Programme(
            name=row.name,
            active=row.active,
            currency=row.currency,
            starts_at=row.starts_at,
            hold_days=row.hold_days,
            expires_after_months=row.expires_after_months,
            point_value_minor=row.point_value_minor,
            min_redemption=row.min_redemption,
            tier_basis=row.tier_basis,
            tier_window_months=row.tier_window_months,
            tier_grace_days=row.tier_grace_days,
            expiry_notice_days=row.expiry_notice_days,
            timezone=ZoneInfo(row.timezone),
            rules=tuple(
                Rule(**{name: getattr(rule, name) for name in _RULE_COLUMNS}) for rule in rules
            ),
            tiers=tuple(_tier(row) for row in tiers if row.removed_at is None),
            removed=tuple(_tier(row) for row in tiers if row.removed_at is not None),
        )

    async def get_programme(self) -> Programme:
        """The programme, if it is active. Raises NoProgramme."""
        programme = await self.find_programme()
        if programme is None or not programme.active:
            raise NoProgramme
        return programme

    async def programme_row(self) -> Row[*tuple[Any, ...]]:
        """Raises ProgrammeNotFound."""
        row = await self._uow.one_or_none(_PROGRAMME, self._tenant)
        if row is None:
            raise ProgrammeNotFound
        return row

    async def lock_programme(self) -> Row[*tuple[Any, ...]] | None:
        """The programme's row, unchanged by others until the commit."""
        return await self._uow.one_or_none(_LOCK_PROGRAMME, self._tenant)

    async def add_programme(self, columns: Mapping[str, Any]) -> Row[*tuple[Any, ...]] | None:
        """The new programme; None when the shop has got one meanwhile."""
        row = {"tenant_id": self._uow.tenant_id, **columns}
        return await self._uow.one_or_none(_ADD_PROGRAMME, row)

    async def save_programme(self, changes: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The programme with these columns changed and its version grown."""
        statement = (
            update(loyalty_programme)
            .where(loyalty_programme.c.tenant_id == self._uow.tenant_id)
            .values(**changes, version=loyalty_programme.c.version + 1)
            .returning(*loyalty_programme.c)
        )
        return await self._uow.one(statement)

    async def mark_review(self, *, day: date, until: UUID | None, due_at: datetime | None) -> None:
        """How far the nightly look at tiers has come, None when it is done; and when to go on."""
        statement = (
            update(loyalty_programme)
            .where(loyalty_programme.c.tenant_id == self._uow.tenant_id)
            .values(reviewed_on=day, reviewed_until=until, review_due_at=due_at)
        )
        await self._uow.execute(statement)

    async def rules(self) -> Sequence[Row[*tuple[Any, ...]]]:
        """All rules, the oldest first."""
        return await self._uow.rows(_RULES, self._tenant)

    async def rule(self, rule_id: UUID, *, lock: bool = False) -> Row[*tuple[Any, ...]]:
        """Raises RuleNotFound."""
        return await self._found(_LOCK_RULE if lock else _RULE, rule_id, RuleNotFound)

    async def add_rule(self, columns: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The new rule."""
        return await self._uow.one(_ADD_RULE, {"tenant_id": self._uow.tenant_id, **columns})

    async def save_rule(self, rule_id: UUID, changes: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The rule with these columns changed and its version grown."""
        return await self._save(loyalty_rule, rule_id, changes)

    async def tiers(self) -> Sequence[Row[*tuple[Any, ...]]]:
        """All tiers, the lowest first."""
        return await self._uow.rows(_TIERS, self._tenant)

    async def tier(self, tier_id: UUID) -> Row[*tuple[Any, ...]]:
        """A tier, unchanged by others until the commit. Raises TierNotFound."""
        return await self._found(_TIER, tier_id, TierNotFound)

    async def add_tier(self, columns: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The new tier. Raises TierTaken."""
        row = await self._uow.one_or_none(_ADD_TIER, {"tenant_id": self._uow.tenant_id, **columns})
        if row is None:
            raise TierTaken
        return row

    async def save_tier(self, tier_id: UUID, changes: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The tier with these columns changed and its version grown."""
        return await self._save(loyalty_tier, tier_id, changes)

    async def remove_tier(self, tier_id: UUID) -> None:
        """Have no such tier any more; who has it falls back with the next look at tiers.

        It is remembered until many others have been removed.
        """
        await self.save_tier(tier_id, {"removed_at": self._uow.clock.now()})
        removed = await self._uow.rows(_REMOVED_TIERS, self._tenant)
        forgotten = [row.id for row in removed[_REMEMBERED_AT_MOST:]]
        if forgotten:
            await self._uow.execute(_FORGET_TIERS, {**self._tenant, "ids": forgotten})

    async def members(self, customer_ids: Collection[UUID]) -> Sequence[Row[*tuple[Any, ...]]]:
        """Which of these records have a tier."""
        return await self._uow.rows(_MEMBERS, {**self._tenant, "ids": list(customer_ids)})

    async def put_members(self, members: Sequence[Mapping[str, Any]]) -> None:
        """Give records a tier, or a time of grace."""
        if members:
            await self._uow.execute(_PUT_MEMBERS, {**self._tenant, **_members.values(members)})

    async def remove_members(self, customer_ids: Collection[UUID]) -> None:
        """Have these records no tier."""
        if customer_ids:
            await self._uow.execute(_REMOVE_MEMBERS, {**self._tenant, "ids": list(customer_ids)})

    async def remember_tiers(self, merge_id: UUID, customer_ids: Collection[UUID]) -> None:
        """Keep which tiers these records have, before they are merged."""
        rows = [
            {"merge_id": merge_id, **{name: getattr(row, name) for name in _MEMBER_COLUMNS}}
            for row in await self.members(customer_ids)
        ]
        if rows:
            await self._uow.execute(_REMEMBER, {**self._tenant, **_before.values(rows)})

    async def remember_instead(
        self, rows: Mapping[tuple[UUID, UUID], Row[*tuple[Any, ...]] | None]
    ) -> None:
        """Keep other tiers, or none, of those who were merged, by the merge and the record."""
        if not rows:
            return
        names = ("tier_id", "since", "grace_until")
        keys = [{"merge_id": merge_id, "customer_id": each} for merge_id, each in rows]
        await self._uow.execute(_FORGET_REMEMBERED, {**self._tenant, **_other.values(keys)})
        kept = [
            {**key, **{name: getattr(row, name) for name in names}}
            for key, row in zip(keys, rows.values(), strict=True)
            if row is not None
        ]
        if kept:
            await self._uow.execute(_REMEMBER, {**self._tenant, **_before.values(kept)})

    async def remembered_tiers(
        self, merge_ids: Collection[UUID]
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """Which tiers those had who were merged by these."""
        return await self._uow.rows(_REMEMBERED, {**self._tenant, "ids": list(merge_ids)})

    async def walk(self, *, after: UUID, since: Any, at_most: int) -> Sequence[UUID]:
        """Whose tiers are to be looked at, in the order of their ids."""
        parameters = {**self._tenant, "after": after, "since": since, "at_most": at_most}
        return await self._uow.scalars(_WALK, parameters)

    async def _found(
        self, statement: Any, row_id: UUID, missing: type[NotFound]
    ) -> Row[*tuple[Any, ...]]:
        row = await self._uow.one_or_none(statement, {**self._tenant, "id": row_id})
        if row is None:
            raise missing
        return row

    async def _save(
        self, table: Table, row_id: UUID, changes: Mapping[str, Any]
    ) -> Row[*tuple[Any, ...]]:
        statement = (
            update(table)
            .where(table.c.tenant_id == self._uow.tenant_id, table.c.id == row_id)
            .values(**changes, version=table.c.version + 1)
            .returning(*table.c)
        )
        return await self._uow.one(statement)


def _tier(row: Row[*tuple[Any, ...]]) -> Tier:
    return Tier(**{name: getattr(row, name) for name in _TIER_COLUMNS})
