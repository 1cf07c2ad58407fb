"""SQL of lots, of the journal and of redemptions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Text,
    Uuid,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.loyalty.book import Book
from services.customer.loyalty.errors import RedemptionNotFound
from services.customer.loyalty.lots import LOT_COLUMNS, POSTING_COLUMNS, Lot
from services.customer.loyalty.models import loyalty_entry, loyalty_lot, loyalty_redemption
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import ADD_ENTRIES, NEW_ENTRIES
from shared.db.merged import Source, merged_page
from shared.db.outbox import outbox_rows
from shared.db.paging import PageRequest, SortKey, next_cursor, parse_id, parse_instant
from shared.db.rows import RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.errors import LostRace

NEWEST_FIRST = (
    SortKey(loyalty_entry.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(loyalty_entry.c.id, "id", parse_id, descending=True),
)

_TENANT = bindparam("tenant", type_=Uuid)
_ID = bindparam("id", type_=Uuid)
_IDS = bindparam("ids", type_=ARRAY(Uuid))
_MEMBERS = bindparam("members", type_=ARRAY(Uuid))
_ORDERS = bindparam("orders", type_=ARRAY(Uuid))
_CAUSES = bindparam("causes", type_=ARRAY(Text))
_SINCE = bindparam("since", type_=Instant)
_NOW = bindparam("now", type_=Instant)
_AT_MOST = bindparam("at_most", type_=Integer)

_lot = loyalty_lot.c
_entry = loyalty_entry.c
_new_lots = RowsParameter("lot", loyalty_lot, LOT_COLUMNS)
_changed_lots = RowsParameter("changed", loyalty_lot, LOT_COLUMNS)
_entries = RowsParameter("posting", loyalty_entry, POSTING_COLUMNS)
_REDEMPTION_COLUMNS = tuple(c.name for c in loyalty_redemption.columns if c.name != "tenant_id")
_redemptions = RowsParameter("redemption", loyalty_redemption, _REDEMPTION_COLUMNS)
_LOT_COLUMNS = [loyalty_lot.c[name] for name in LOT_COLUMNS]

_OF_MEMBERS = _lot.customer_id == func.any(_MEMBERS)
# Written out, as partial indexes have it: of a parameter no plan for all knows that it is zero.
_ZERO: ColumnElement[int] = literal_column("0")
_HAS_SOME_LEFT = _lot.remaining > _ZERO
_IS_OPEN = or_(_HAS_SOME_LEFT, _lot.owed > _ZERO)
# In the order of their ids, as everybody locks them: so nobody waits for each other.
_LOCK = (
    select(*_LOT_COLUMNS)
    .where(
        _lot.tenant_id == _TENANT,
        or_(
            _OF_MEMBERS & _IS_OPEN,
            _lot.id == func.any(_IDS),
            _lot.order_id == func.any(_ORDERS),
            _lot.cause == func.any(_CAUSES),
        ),
    )
    .order_by(_lot.id)
    .with_for_update()
)
_OWNERS = (
    select(_lot.customer_id)
    .distinct()
    .where(_lot.tenant_id == _TENANT, _lot.order_id == func.any(_ORDERS))
)
_CHANGING = (
    "points",
    "remaining",
    "expired",
    "owed",
    "amount_minor",
    "matured_at",
    "expiry_told_at",
)


def _save() -> Any:
    """Everything that a book says, and the events, in one round trip: others wait meanwhile.

    It tells how many lots were kept: fewer than given, when a cause has its lot already.
    """
    new, changed = _new_lots.source, _changed_lots.source
    added = (
        insert(loyalty_lot)
        .from_select(["tenant_id", *LOT_COLUMNS], select(_TENANT, *new.c))
        .on_conflict_do_nothing(index_elements=["tenant_id", "cause"])
        .returning(_lot.id)
        .cte("added_lot")
    )
    saved = (
        update(loyalty_lot)
        .values({name: changed.c[name] for name in _CHANGING})
        .where(_lot.tenant_id == _TENANT, _lot.id == changed.c.id)
        .returning(_lot.id)
        .cte("saved_lot")
    )
    entries = (
        insert(loyalty_entry)
        .from_select(["tenant_id", *POSTING_COLUMNS], select(_TENANT, *_entries.source.c))
        .returning(_entry.id)
        .cte("added_entry")
    )
    redemptions = (
        insert(loyalty_redemption)
        .from_select(["tenant_id", *_REDEMPTION_COLUMNS], select(_TENANT, *_redemptions.source.c))
        .returning(loyalty_redemption.c.id)
        .cte("added_redemption")
    )
    return (
        select(func.count().label("added"))
        .select_from(added)
        .add_cte(
            saved, entries, redemptions, ADD_ENTRIES.cte("told_entry"), outbox_rows("customer")
        )
    )


_SAVE = _save()
_DUE = (
    select(_lot.id, _lot.customer_id)
    .where(_lot.tenant_id == _TENANT, _lot.matured_at.is_(None), _lot.available_at <= _NOW)
    .order_by(_lot.available_at)
    .limit(_AT_MOST)
)
_OVER = (
    select(_lot.id, _lot.customer_id)
    .where(
        _lot.tenant_id == _TENANT,
        _HAS_SOME_LEFT,
        _lot.matured_at.is_not(None),
        _lot.expires_at <= _NOW,
    )
    .order_by(_lot.expires_at)
    .limit(_AT_MOST)
)
_EXPIRING = (
    select(_lot.customer_id)
    .where(
        _lot.tenant_id == _TENANT,
        _HAS_SOME_LEFT,
        _lot.matured_at.is_not(None),
        _lot.expiry_told_at.is_(None),
        _lot.expires_at > _NOW,
        _lot.expires_at <= bindparam("until", type_=Instant),
    )
    .order_by(_lot.expires_at)
    .limit(_AT_MOST)
)


# As many rows as there are lots with something in them, however long the history is.
OPEN_LOTS = select(*_LOT_COLUMNS).where(_lot.tenant_id == _TENANT, _OF_MEMBERS, _IS_OPEN)
_EARNED = (
    select(
        _lot.customer_id,
        func.sum(_lot.points).label("points"),
        func.sum(_lot.amount_minor).label("spend"),
    )
    .where(
        _lot.tenant_id == _TENANT,
        _OF_MEMBERS,
        _lot.earned_at >= _SINCE,
        _lot.kind != "adjustment",
    )
    .group_by(_lot.customer_id)
)
_TIMES = (
    select(_lot.rule_id, func.count().label("times"))
    .where(
        _lot.tenant_id == _TENANT,
        _OF_MEMBERS,
        _lot.kind == "event",
        _lot.rule_id == func.any(_IDS),
    )
    .group_by(_lot.rule_id)
)
_REDEMPTION = select(loyalty_redemption).where(
    loyalty_redemption.c.tenant_id == _TENANT, loyalty_redemption.c.id == _ID
)
_LOCK_REDEMPTION = _REDEMPTION.with_for_update()
_CANCEL_REDEMPTION = (
    update(loyalty_redemption)
    .values(status="cancelled", cancelled_at=bindparam("at", type_=Instant))
    .where(
        loyalty_redemption.c.tenant_id == _TENANT,
        loyalty_redemption.c.id == bindparam("redemption", type_=Uuid),
    )
    .returning(*loyalty_redemption.c)
)
_REDEEMED = (
    select(_entry.lot_id, _entry.customer_id, _entry.points)
    .where(_entry.tenant_id == _TENANT, _entry.redemption_id == _ID, _entry.kind == "redeem")
    .order_by(_entry.id)
)


class LedgerRepository:
    """Lots and the journal, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant: Mapping[str, Any] = {"tenant": uow.tenant_id}

    async def lock(
        self,
        members: Collection[UUID],
        *,
        ids: Collection[UUID] = (),
        orders: Collection[UUID] = (),
        causes: Collection[str] = (),
    ) -> list[Lot]:
        """The open lots of these records, and those named, unchanged by others until the commit."""
        named = _named(ids, orders, causes)
        rows = await self._uow.rows(_LOCK, {**self._tenant, "members": list(members), **named})
        return [Lot.of(row) for row in rows]

    async def owners(self, orders: Collection[UUID]) -> Sequence[UUID]:
        """Who has lots because of these orders."""
        return await self._uow.scalars(_OWNERS, {**self._tenant, "orders": list(orders)})

    async def save(
        self,
        book: Book,
        *,
        redemptions: Sequence[Mapping[str, Any]] = (),
        told: Sequence[Entry] = (),
    ) -> None:
        """Write what was done, new redemptions, what timelines tell, and the events so far.

        Raises LostRace when a cause has its lot already.
        """
        added = book.added
        row = await self._uow.rows_with_events(
            _SAVE,
            {
                **self._tenant,
                **_new_lots.values(lot.as_row() for lot in added),
                **_changed_lots.values(lot.as_row() for lot in book.changed),
                **_entries.values(asdict(posting) for posting in book.postings),
                **_redemptions.values(redemptions),
                **NEW_ENTRIES.values(entry.as_row() for entry in told),
            },
        )
        if row[0].added < len(added):
            raise LostRace

    async def due(self, now: datetime, at_most: int) -> Sequence[Row[*tuple[Any, ...]]]:
        """Lots whose time to be spent has come, the longest due first."""
        return await self._uow.rows(_DUE, {**self._tenant, "now": now, "at_most": at_most})

    async def over(self, now: datetime, at_most: int) -> Sequence[Row[*tuple[Any, ...]]]:
        """Lots with something left whose time is over."""
        return await self._uow.rows(_OVER, {**self._tenant, "now": now, "at_most": at_most})

    async def expiring(self, now: datetime, until: datetime, at_most: int) -> set[UUID]:
        """Whose points expire until then without their having been told."""
        parameters = {**self._tenant, "now": now, "until": until, "at_most": at_most}
        return set(await self._uow.scalars(_EXPIRING, parameters))

    async def open_lots(self, members: Collection[UUID]) -> list[Lot]:
        """The open lots of these records as they were kept last; nobody waits for who reads."""
        rows = await self._uow.rows(OPEN_LOTS, {**self._tenant, "members": list(members)})
        return [Lot.of(row) for row in rows]

    async def earned(
        self, members: Collection[UUID], since: datetime
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """Points and money of each record since then, adjustments apart."""
        parameters = {**self._tenant, "members": list(members), "since": since}
        return await self._uow.rows(_EARNED, parameters)

    async def times(self, members: Collection[UUID], rules: Collection[UUID]) -> dict[UUID, int]:
        """How often these records have earned by each of these rules."""
        parameters = {**self._tenant, "members": list(members), "ids": list(rules)}
        return {row.rule_id: row.times for row in await self._uow.rows(_TIMES, parameters)}

    async def statement(
        self, members: Sequence[UUID], kinds: Collection[str], request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of the entries of these records, newest first, and the next cursor."""
        where = [_entry.tenant_id == _TENANT]
        if kinds:
            where.append(_entry.kind.in_(sorted(kinds)))
        of_member = Source(
            lambda member: _entry.customer_id == member, bindparam("members", type_=ARRAY(Uuid))
        )
        rows = await self._uow.rows(
            merged_page(
                loyalty_entry,
                list(loyalty_entry.c),
                [of_member],
                where=where,
                order=NEWEST_FIRST,
                request=request,
            ),
            {**self._tenant, "members": list(members)},
        )
        return next_cursor(rows, NEWEST_FIRST, request.limit)

    async def redemption(self, redemption_id: UUID, *, lock: bool = False) -> Row[*tuple[Any, ...]]:
        """Raises RedemptionNotFound."""
        statement = _LOCK_REDEMPTION if lock else _REDEMPTION
        row = await self._uow.one_or_none(statement, {**self._tenant, "id": redemption_id})
        if row is None:
            raise RedemptionNotFound
        return row

    async def redeemed(self, redemption_id: UUID) -> Sequence[Row[*tuple[Any, ...]]]:
        """Of which lots, and whose they are, a redemption took how many points."""
        return await self._uow.rows(_REDEEMED, {**self._tenant, "id": redemption_id})

    async def cancel_redemption(self, redemption_id: UUID) -> Row[*tuple[Any, ...]]:
        """The redemption, cancelled."""
        parameters = {**self._tenant, "redemption": redemption_id, "at": self._uow.clock.now()}
        return await self._uow.one(_CANCEL_REDEMPTION, parameters)


def _named(
    ids: Collection[UUID], orders: Collection[UUID], causes: Collection[str]
) -> dict[str, list[Any]]:
    return {"ids": list(ids), "orders": list(orders), "causes": list(causes)}
