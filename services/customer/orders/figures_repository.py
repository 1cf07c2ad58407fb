"""SQL of what customers' orders add up to."""

from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Uuid,
    bindparam,
    column,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.customer.customers.models import customer
from services.customer.orders.figures import CurrencyTally, Ends, Figures, added_up
from services.customer.orders.models import COUNTED, customer_order
from services.customer.orders.record import PAID_STATUSES, SPENT_STATUSES
from shared.db.prepared import Rows
from shared.db.rows import any_id
from shared.db.unit_of_work import UnitOfWork

_order: Final = customer_order.c
_TENANT: Final = bindparam("tenant", type_=Uuid)
_IDS: Final = bindparam("ids", type_=ARRAY(Uuid))
# Each record and who stands for it, as they are given.
_given: Final = (
    func.unnest(_IDS, bindparam("root_ids", type_=ARRAY(Uuid)))
    .table_valued(column("id", Uuid), column("root_id", Uuid))
    .render_derived(name="given")
)
# All records of those who stand for them.
_own, _merged = customer.alias("own"), customer.alias("merged")
_family: Final = union_all(
    select(_own.c.id, _own.c.id.label("root_id")).where(
        _own.c.tenant_id == _TENANT, _own.c.id == any_id("ids")
    ),
    select(_merged.c.id, _merged.c.merged_into.label("root_id")).where(
        _merged.c.tenant_id == _TENANT, _merged.c.merged_into == any_id("ids")
    ),
).subquery("family")


def _is_one_of(statuses: Collection[str]) -> ColumnElement[bool]:
    """Whether an order has one of these; written out, unlike `IN`, so that it can be prepared."""
    return or_(*(_order.financial_status == status for status in statuses))


def _spent() -> ColumnElement[Any]:
    """What was paid and not given back."""
    kept = func.greatest(_order.total_minor - _order.refunded_minor, 0, type_=BigInteger)
    paid = func.sum(kept, type_=BigInteger).filter(_is_one_of(SPENT_STATUSES))
    return func.coalesce(paid, 0, type_=BigInteger)


def _tallies(records: FromClause) -> Select[Any]:
    """What the orders of customers add up to, by currency.

    `records` has the `id` of records and of each the `root_id` of whom its orders are counted for.
    """
    return (
        select(
            records.c.root_id,
            _order.currency,
            func.count().label("orders_count"),
            _spent().label("spent_minor"),
            func.sum(_order.total_minor, type_=BigInteger).label("ordered_minor"),
            func.min(_order.placed_at).label("first_order_at"),
            func.max(_order.placed_at).label("last_order_at"),
            func.bool_or(_is_one_of(PAID_STATUSES), type_=Boolean).label("ever_paid"),
        )
        .join_from(customer_order, records, _order.customer_id == records.c.id)
        .where(_order.tenant_id == _TENANT, COUNTED)
        .group_by(records.c.root_id, _order.currency)
    )


def _ends() -> Select[Any]:
    """The first and the last order of each record of people, each by one look into an index."""
    of_record = select(_order.placed_at, _order.currency).where(
        _order.tenant_id == _TENANT, _order.customer_id == _family.c.id, COUNTED
    )
    oldest_first = of_record.order_by(_order.placed_at, _order.currency)
    newest_first = of_record.order_by(_order.placed_at.desc(), _order.currency.desc())
    # Written out: of a limit that it does not know PostgreSQL expects a tenth of all rows.
    first = oldest_first.limit(literal_column("1", Integer)).lateral("first")
    last = newest_first.limit(literal_column("1", Integer)).lateral("last")
    return select(
        _family.c.root_id,
        first.c.placed_at.label("first_order_at"),
        first.c.currency,
        last.c.placed_at.label("last_order_at"),
    ).select_from(_family.join(first, true()).join(last, true()))


def _by_currency() -> Select[Any]:
    """What the orders of all records of a person come to, by currency."""
    return (
        select(
            _order.currency,
            func.count().label("orders_count"),
            func.count().filter(_is_one_of(SPENT_STATUSES)).label("paid_orders_count"),
            _spent().label("total_spent_minor"),
            func.sum(_order.refunded_minor, type_=BigInteger).label("refunded_minor"),
            func.sum(_order.returns_count, type_=BigInteger).label("returns_count"),
            func.min(_order.placed_at).label("first_order_at"),
            func.max(_order.placed_at).label("last_order_at"),
        )
        .where(_order.tenant_id == _TENANT, COUNTED, _order.customer_id == func.any(_IDS))
        .group_by(_order.currency)
        .order_by(func.min(_order.placed_at), _order.currency)
    )


_OF_FAMILIES: Final = _tallies(_given)
_OF_PEOPLE: Final = _tallies(_family)
ENDS: Final = _ends()
_BY_CURRENCY: Final = _by_currency()


class OrderFiguresRepository:
    """What orders add up to, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def ends(self, root_ids: Collection[UUID]) -> dict[UUID, Ends | None]:
        """The first and last orders that count of these people; None of those who have none."""
        if not root_ids:
            return {}
        found: dict[UUID, Ends | None] = dict.fromkeys(root_ids)
        rows = await self._uow.rows(ENDS, {**self._tenant, "ids": list(root_ids)})
        for row in sorted(rows, key=lambda row: (row.first_order_at, row.currency)):
            known, last = found[row.root_id], row.last_order_at
            found[row.root_id] = Ends(
                first_order_at=known.first_order_at if known else row.first_order_at,
                currency=known.currency if known else row.currency,
                last_order_at=max(known.last_order_at, last) if known else last,
            )
        return found

    async def of_people(self, root_ids: Collection[UUID]) -> dict[UUID, Figures]:
        """What the orders add up to of people, all their records together.

        Raises OrderFiguresTooLarge.
        """
        if not root_ids:
            return {}
        rows = await self._uow.rows(_OF_PEOPLE, {**self._tenant, "ids": list(root_ids)})
        return _added_up(root_ids, rows)

    async def of_records(self, customer_ids: Collection[UUID]) -> dict[UUID, Figures]:
        """What the orders of each of these records add up to. Raises OrderFiguresTooLarge."""
        return await self.of_families({one: one for one in customer_ids})

    async def of_families(self, members: Mapping[UUID, UUID]) -> dict[UUID, Figures]:
        """What the orders add up to of people whose records are the keys of `members`.

        By the values, who stand for them. Raises OrderFiguresTooLarge.
        """
        asked = {"ids": list(members), "root_ids": list(members.values())}
        rows = await self._uow.rows(_OF_FAMILIES, {**self._tenant, **asked})
        return _added_up(set(members.values()), rows)

    async def by_currency(self, member_ids: Collection[UUID]) -> Rows:
        """What the orders of all these records come to, by currency, that of the first first."""
        return await self._uow.rows(_BY_CURRENCY, {**self._tenant, "ids": list(member_ids)})


def _added_up(root_ids: Collection[UUID], rows: Rows) -> dict[UUID, Figures]:
    tallies: dict[UUID, list[CurrencyTally]] = {root_id: [] for root_id in root_ids}
    for row in rows:
        tallies[row.root_id].append(
            CurrencyTally(
                currency=row.currency,
                orders_count=row.orders_count,
                spent_minor=int(row.spent_minor),
                ordered_minor=int(row.ordered_minor),
                first_order_at=row.first_order_at,
                last_order_at=row.last_order_at,
                ever_paid=row.ever_paid,
            )
        )
    return {root_id: added_up(each) for root_id, each in tallies.items()}
