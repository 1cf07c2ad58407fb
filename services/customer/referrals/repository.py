"""SQL of referrals."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Text,
    Uuid,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.customers.models import customer, customer_identity
from services.customer.families.seen import person_is_seen
from services.customer.loyalty.models import loyalty_programme
from services.customer.referrals.errors import (
    ReferralCodeNotFound,
    ReferralNotFound,
    ReferralProgrammeNotFound,
)
from services.customer.referrals.models import referral, referral_code, referral_programme
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

NEWEST_FIRST = (
    SortKey(referral.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(referral.c.id, "id", parse_id, descending=True),
)

_TENANT = bindparam("tenant", type_=Uuid)
_ID = bindparam("row_id", type_=Uuid)
_MEMBERS = bindparam("members", type_=ARRAY(Uuid))
_OTHERS = bindparam("others", type_=ARRAY(Uuid))
_FROM = bindparam("from_at", type_=Instant)
_TO = bindparam("to_at", type_=Instant)

_PROGRAMME = select(referral_programme).where(referral_programme.c.tenant_id == _TENANT)
_LOCK_PROGRAMME = _PROGRAMME.with_for_update()
_ANYTHING_IS_EARNED = select(
    or_(
        exists().where(referral_programme.c.tenant_id == _TENANT),
        exists().where(loyalty_programme.c.tenant_id == _TENANT),
    )
)
_ADD_PROGRAMME = (
    insert(referral_programme)
    .on_conflict_do_nothing(index_elements=["tenant_id"])
    .returning(*referral_programme.c)
)
_ADD_CODE = insert(referral_code).on_conflict_do_nothing().returning(*referral_code.c)
_CODES_OF = (
    select(referral_code)
    .where(referral_code.c.tenant_id == _TENANT, referral_code.c.customer_id == func.any(_MEMBERS))
    .order_by(referral_code.c.created_at, referral_code.c.customer_id)
)
_CODE = select(referral_code).where(
    referral_code.c.tenant_id == _TENANT, referral_code.c.code == bindparam("wanted", type_=Text)
)
_ADD = insert(referral).returning(*referral.c)
_BY_ID = select(referral).where(referral.c.tenant_id == _TENANT, referral.c.id == _ID)
_OF_IDS = select(referral).where(
    referral.c.tenant_id == _TENANT, referral.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid)))
)
_OF_FRIENDS = select(referral).where(
    referral.c.tenant_id == _TENANT, referral.c.friend_id == func.any(_MEMBERS)
)
_LOCK_PENDING = (
    _OF_FRIENDS.where(referral.c.status == "pending").order_by(referral.c.id).with_for_update()
)
_mine, _theirs = customer_identity.alias("mine"), customer_identity.alias("theirs")
_SHARED = (
    select(_mine.c.id)
    .join(
        _theirs,
        and_(
            _theirs.c.tenant_id == _TENANT,
            _theirs.c.kind == _mine.c.kind,
            _theirs.c.scope == _mine.c.scope,
            _theirs.c.value == _mine.c.value,
        ),
    )
    .where(
        _mine.c.tenant_id == _TENANT,
        _mine.c.customer_id == func.any(_MEMBERS),
        _theirs.c.customer_id == func.any(_OTHERS),
        # A number that was somebody else's before says nothing.
        _mine.c.valid_until.is_(None),
        _theirs.c.valid_until.is_(None),
    )
    .limit(1)
)
_record, _person = customer.alias("referrer_record"), customer.alias("referrer")
_REFERRER = func.coalesce(_record.c.merged_into, referral.c.referrer_id)
_BROUGHT = referral.c.status != "void"
_HAD_NOT_ORDERED = or_(_person.c.first_order_at.is_(None), _person.c.first_order_at >= _TO)
# By the index of what is newest: only the referrals of the time meet their referrers.
_REGISTERED = (
    select(
        func.count().label("registered"),
        func.count(_REFERRER.distinct()).filter(_BROUGHT).label("referrers"),
        func.count(_REFERRER.distinct())
        .filter(_BROUGHT, _HAD_NOT_ORDERED)
        .label("referrers_without_order"),
    )
    .select_from(referral)
    .outerjoin(
        _record, and_(_record.c.tenant_id == _TENANT, _record.c.id == referral.c.referrer_id)
    )
    .outerjoin(_person, and_(_person.c.tenant_id == _TENANT, _person.c.id == _REFERRER))
    .where(
        referral.c.tenant_id == _TENANT, referral.c.created_at >= _FROM, referral.c.created_at < _TO
    )
)
_DECIDED = (
    select(referral.c.status, func.count().label("number"))
    .where(
        referral.c.tenant_id == _TENANT,
        referral.c.status.in_(("rewarded", "void")),
        referral.c.decided_at >= _FROM,
        referral.c.decided_at < _TO,
    )
    .group_by(referral.c.status)
)
_FIRST_ORDERS = select(
    func.count().label("ordered"),
    func.count()
    .filter(customer.c.first_order_at >= _FROM, customer.c.first_order_at < _TO)
    .label("first_orders"),
).where(
    customer.c.tenant_id == _TENANT,
    customer.c.merged_into.is_(None),
    customer.c.first_order_at < _TO,
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What referrals have brought in a time.

    `referrers` are people, however many records they have, with a referral registered in the time
    that is not void. They are among the `customers`, the others of whom have ordered by its end.
    """

    registered: int
    rewarded: int
    void: int
    referrers: int
    first_orders: int
    customers: int


class ReferralRepository:
    """Referrals, inside one unit of work. Lists are narrowed to the `sight` of who asks."""

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._sight = sight
        self._tenant: Mapping[str, Any] = {"tenant": uow.tenant_id}

    async def anything_is_earned(self) -> bool:
        """Whether the shop has a programme, of points or for friends; most orders end here."""
        return bool(await self._uow.scalar(_ANYTHING_IS_EARNED, {"tenant": self._uow.tenant_id}))

    async def find_programme(self, *, lock: bool = False) -> Row[*tuple[Any, ...]] | None:
        """What the shop gives, if it has decided; locked, nobody else registers meanwhile."""
        statement = _LOCK_PROGRAMME if lock else _PROGRAMME
        return await self._uow.one_or_none(statement, self._tenant)

    async def programme(self) -> Row[*tuple[Any, ...]]:
        """Raises ReferralProgrammeNotFound."""
        row = await self.find_programme()
        if row is None:
            raise ReferralProgrammeNotFound
        return row

    async def add_programme(self, columns: Mapping[str, Any]) -> Row[*tuple[Any, ...]] | None:
        """The new programme; None when the shop has got one meanwhile."""
        row = {"tenant_id": self._uow.tenant_id, **columns}
        return await self._uow.one_or_none(_ADD_PROGRAMME, row)

    async def save_programme(self, changes: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The programme with these columns changed and its version grown."""
        statement = (
            update(referral_programme)
            .where(referral_programme.c.tenant_id == self._uow.tenant_id)
            .values(**changes, version=referral_programme.c.version + 1)
            .returning(*referral_programme.c)
        )
        return await self._uow.one(statement)

    async def codes_of(self, members: Collection[UUID]) -> Sequence[Row[*tuple[Any, ...]]]:
        """The codes of these records, the oldest first."""
        return await self._uow.rows(_CODES_OF, {**self._tenant, "members": list(members)})

    async def add_code(self, columns: Mapping[str, Any]) -> Row[*tuple[Any, ...]] | None:
        """The new code; None when the record has one, or somebody has this one."""
        row = {"tenant_id": self._uow.tenant_id, **columns}
        return await self._uow.one_or_none(_ADD_CODE, row)

    async def code(self, code: str) -> Row[*tuple[Any, ...]]:
        """Raises ReferralCodeNotFound."""
        row = await self._uow.one_or_none(_CODE, {**self._tenant, "wanted": code})
        if row is None:
            raise ReferralCodeNotFound
        return row

    async def add(self, columns: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The new referral."""
        return await self._uow.one(_ADD, {"tenant_id": self._uow.tenant_id, **columns})

    async def get(self, referral_id: UUID) -> Row[*tuple[Any, ...]]:
        """Raises ReferralNotFound."""
        row = await self._uow.one_or_none(_BY_ID, {**self._tenant, "row_id": referral_id})
        if row is None:
            raise ReferralNotFound
        return row

    async def of_ids(self, ids: Collection[UUID]) -> Sequence[Row[*tuple[Any, ...]]]:
        """These referrals."""
        return await self._uow.rows(_OF_IDS, {**self._tenant, "ids": list(ids)})

    async def of_friends(self, members: Collection[UUID]) -> Sequence[Row[*tuple[Any, ...]]]:
        """By whom these records were brought."""
        return await self._uow.rows(_OF_FRIENDS, {**self._tenant, "members": list(members)})

    async def lock_pending(self, members: Collection[UUID]) -> Sequence[Row[*tuple[Any, ...]]]:
        """The referrals of these friends that wait for an order, decided by nobody else."""
        return await self._uow.rows(_LOCK_PENDING, {**self._tenant, "members": list(members)})

    async def decide(self, referral_id: UUID, columns: Mapping[str, Any]) -> None:
        """Say what came of a referral."""
        statement = (
            update(referral)
            .where(referral.c.tenant_id == self._uow.tenant_id, referral.c.id == referral_id)
            .values(**columns, decided_at=self._uow.clock.now())
        )
        await self._uow.execute(statement)

    async def wait_again(self, referral_id: UUID, *, not_for: UUID) -> None:
        """Have a referral wait for an order of the friend's: the one that rewarded it is not."""
        nothing = dict.fromkeys(("order_id", "referrer_points", "friend_points", "decided_at"))
        statement = (
            update(referral)
            .where(
                referral.c.tenant_id == self._uow.tenant_id,
                referral.c.id == referral_id,
                referral.c.order_id == not_for,
            )
            .values(status="pending", **nothing)
        )
        await self._uow.execute(statement)

    async def share_an_identity(self, members: Collection[UUID], others: Collection[UUID]) -> bool:
        """Whether both have given one phone number or address."""
        parameters = {**self._tenant, "members": list(members), "others": list(others)}
        return bool(await self._uow.rows(_SHARED, parameters))

    async def page(
        self, wanted: Mapping[str, Any], members: Collection[UUID] | None, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of referrals (by these referrers only, if given), newest first, and a cursor."""
        where: list[ColumnElement[bool]] = [referral.c.tenant_id == _TENANT]
        where += [referral.c[name] == value for name, value in wanted.items() if value is not None]
        asked = self._tenant
        if members is not None:
            where.append(referral.c.referrer_id == func.any(_MEMBERS))
            asked = {**asked, "members": list(members)}
        if self._sight is not None:
            where.append(person_is_seen(referral.c.friend_id, of_teams=self._sight.of_teams))
            asked = {**asked, **self._sight.parameters()}
        rows = await self._uow.rows(
            page(select(referral).where(*where), NEWEST_FIRST, request), asked
        )
        return next_cursor(rows, NEWEST_FIRST, request.limit)

    async def figures(self, from_at: datetime, to_at: datetime) -> Figures:
        """What was registered, rewarded and ordered from an instant up to another."""
        asked = {**self._tenant, "from_at": from_at, "to_at": to_at}
        registered = await self._uow.one(_REGISTERED, asked)
        decided = {row.status: row.number for row in await self._uow.rows(_DECIDED, asked)}
        orders = await self._uow.one(_FIRST_ORDERS, asked)
        return Figures(
            registered=registered.registered,
            rewarded=decided.get("rewarded", 0),
            void=decided.get("void", 0),
            referrers=registered.referrers,
            first_orders=orders.first_orders,
            customers=orders.ordered + registered.referrers_without_order,
        )
