"""SQL of vouchers, codes and redemptions."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Text, Uuid, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.families.seen import person_is_seen
from services.customer.vouchers.errors import (
    VoucherCodeNotFound,
    VoucherNotFound,
    VoucherRedemptionNotFound,
)
from services.customer.vouchers.models import voucher, voucher_code, voucher_redemption
from services.customer.vouchers.terms import Terms
from shared.db.merged import Source, merged_page
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.rows import RowsParameter
from shared.db.sighted import Sighted
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

NEWEST_FIRST = (
    SortKey(voucher.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(voucher.c.id, "id", parse_id, descending=True),
)
CODES_NEWEST_FIRST = (
    SortKey(voucher_code.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(voucher_code.c.id, "id", parse_id, descending=True),
)

_TENANT = bindparam("tenant", type_=Uuid)
_ID = bindparam("row_id", type_=Uuid)
_MEMBERS = bindparam("members", type_=ARRAY(Uuid))
_CODE_COLUMNS = tuple(c.name for c in voucher_code.columns if c.name != "tenant_id")
_codes = RowsParameter("code", voucher_code, _CODE_COLUMNS)
_redemption = voucher_redemption.c

_ADD = insert(voucher).returning(*voucher.c)
_BY_ID = select(voucher).where(voucher.c.tenant_id == _TENANT, voucher.c.id == _ID)
_LOCK = _BY_ID.with_for_update()
_ALL = select(voucher).where(voucher.c.tenant_id == _TENANT)
_COUNT = (
    update(voucher)
    .values(redeemed=voucher.c.redeemed + bindparam("more"))
    .where(voucher.c.tenant_id == _TENANT, voucher.c.id == _ID)
)
_ADD_CODES = (
    insert(voucher_code)
    .from_select(["tenant_id", *_CODE_COLUMNS], select(_TENANT, *_codes.source.c))
    .on_conflict_do_nothing(index_elements=["tenant_id", "code"])
    .returning(*voucher_code.c)
)
_CODE = select(voucher_code).where(
    voucher_code.c.tenant_id == _TENANT, voucher_code.c.code == bindparam("wanted", type_=Text)
)
_LOCK_CODE = (
    select(voucher_code)
    .where(voucher_code.c.tenant_id == _TENANT, voucher_code.c.id == _ID)
    .with_for_update()
)
_USE_CODE = (
    update(voucher_code)
    .values(used=voucher_code.c.used + bindparam("more"))
    .where(voucher_code.c.tenant_id == _TENANT, voucher_code.c.id == _ID)
)
_CODES_OF_VOUCHER = Sighted(
    select(voucher_code).where(
        voucher_code.c.tenant_id == _TENANT, voucher_code.c.voucher_id == _ID
    ),
    lambda *, of_teams: or_(
        voucher_code.c.customer_id.is_(None),
        person_is_seen(voucher_code.c.customer_id, of_teams=of_teams),
    ),
)
_TIMES = select(func.count()).where(
    _redemption.tenant_id == _TENANT,
    _redemption.customer_id == func.any(_MEMBERS),
    _redemption.voucher_id == _ID,
    _redemption.status == "done",
)
_ADD_REDEMPTION = insert(voucher_redemption).returning(*voucher_redemption.c)
_REDEMPTION = select(voucher_redemption).where(
    _redemption.tenant_id == _TENANT, _redemption.id == _ID
)
_LOCK_REDEMPTION = _REDEMPTION.with_for_update()
_CANCEL_REDEMPTION = (
    update(voucher_redemption)
    .values(status="cancelled", cancelled_at=bindparam("at"))
    .where(_redemption.tenant_id == _TENANT, _redemption.id == _ID)
    .returning(*voucher_redemption.c)
)


class VoucherRepository:
    """Vouchers, inside one unit of work. Lists of codes are narrowed to a caller's `sight`."""

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._sight = sight
        self._tenant: Mapping[str, Any] = {"tenant": uow.tenant_id}

    async def add(self, columns: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The new voucher."""
        return await self._uow.one(_ADD, {"tenant_id": self._uow.tenant_id, **columns})

    async def get(self, voucher_id: UUID, *, lock: bool = False) -> Row[*tuple[Any, ...]]:
        """Raises VoucherNotFound."""
        statement = _LOCK if lock else _BY_ID
        row = await self._uow.one_or_none(statement, {**self._tenant, "row_id": voucher_id})
        if row is None:
            raise VoucherNotFound
        return row

    async def save(self, voucher_id: UUID, changes: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The voucher with these columns changed and its version grown."""
        statement = (
            update(voucher)
            .where(voucher.c.tenant_id == self._uow.tenant_id, voucher.c.id == voucher_id)
            .values(**changes, version=voucher.c.version + 1)
            .returning(*voucher.c)
        )
        return await self._uow.one(statement)

    async def page(
        self, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of vouchers, newest first, and the next cursor."""
        rows = await self._uow.rows(page(_ALL, NEWEST_FIRST, request), self._tenant)
        return next_cursor(rows, NEWEST_FIRST, request.limit)

    async def terms(self, voucher_id: UUID) -> Terms:
        """What a voucher promises. Where its number is limited, others wait until the commit."""
        row = await self.get(voucher_id)
        if row.limit_total is not None:
            row = await self.get(voucher_id, lock=True)
        return Terms(**{name: getattr(row, name) for name in Terms.__slots__})

    async def count(self, voucher_id: UUID, more: int) -> None:
        """Count a redemption, or one that was taken back, of a voucher whose number is limited."""
        await self._uow.execute(_COUNT, {**self._tenant, "row_id": voucher_id, "more": more})

    async def add_codes(
        self, codes: Sequence[Mapping[str, Any]]
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """The codes that are new: those that somebody has already are left out."""
        return await self._uow.rows(_ADD_CODES, {**self._tenant, **_codes.values(codes)})

    async def code(self, code: str) -> Row[*tuple[Any, ...]]:
        """Raises VoucherCodeNotFound."""
        row = await self._uow.one_or_none(_CODE, {**self._tenant, "wanted": code})
        if row is None:
            raise VoucherCodeNotFound
        return row

    async def lock_code(self, code_id: UUID) -> Row[*tuple[Any, ...]]:
        """A code that there is, unchanged by others until the commit."""
        return await self._uow.one(_LOCK_CODE, {**self._tenant, "row_id": code_id})

    async def use_code(self, code_id: UUID, more: int) -> None:
        """Count a use of a code, or one that was taken back."""
        await self._uow.execute(_USE_CODE, {**self._tenant, "row_id": code_id, "more": more})

    async def codes_of_voucher(
        self, voucher_id: UUID, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of a voucher's codes, newest first, and the next cursor.

        Those of people whom the caller does not see are left out.
        """
        codes, seen = _CODES_OF_VOUCHER.seen_by(self._sight)
        asked = {**self._tenant, **seen, "row_id": voucher_id}
        rows = await self._uow.rows(page(codes, CODES_NEWEST_FIRST, request), asked)
        return next_cursor(rows, CODES_NEWEST_FIRST, request.limit)

    async def codes_of_members(
        self, members: Collection[UUID], request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of the codes that were issued to these records, and the next cursor."""
        statement = merged_page(
            voucher_code,
            list(voucher_code.c),
            [Source(lambda member: voucher_code.c.customer_id == member, _MEMBERS)],
            where=[voucher_code.c.tenant_id == _TENANT],
            order=CODES_NEWEST_FIRST,
            request=request,
        )
        rows = await self._uow.rows(statement, {**self._tenant, "members": list(members)})
        return next_cursor(rows, CODES_NEWEST_FIRST, request.limit)

    async def times(self, voucher_id: UUID, members: Collection[UUID]) -> int:
        """How often these records have used a voucher."""
        parameters = {**self._tenant, "row_id": voucher_id, "members": list(members)}
        times: int = await self._uow.scalar(_TIMES, parameters)
        return times

    async def add_redemption(self, columns: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The new redemption."""
        return await self._uow.one(_ADD_REDEMPTION, {"tenant_id": self._uow.tenant_id, **columns})

    async def redemption(self, redemption_id: UUID, *, lock: bool = False) -> Row[*tuple[Any, ...]]:
        """Raises VoucherRedemptionNotFound."""
        statement = _LOCK_REDEMPTION if lock else _REDEMPTION
        row = await self._uow.one_or_none(statement, {**self._tenant, "row_id": redemption_id})
        if row is None:
            raise VoucherRedemptionNotFound
        return row

    async def cancel_redemption(self, redemption_id: UUID) -> Row[*tuple[Any, ...]]:
        """The redemption, cancelled."""
        parameters = {**self._tenant, "row_id": redemption_id, "at": self._uow.clock.now()}
        return await self._uow.one(_CANCEL_REDEMPTION, parameters)
