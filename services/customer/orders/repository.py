"""SQL of orders and of the figures that follow from them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    FromClause,
    Integer,
    Uuid,
    and_,
    bindparam,
    column,
    delete,
    func,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.customers.models import customer
from services.customer.orders.errors import OrderJustArrived, OrderNotFound
from services.customer.orders.models import customer_order, order_line
from services.customer.orders.record import (
    LINE_COLUMNS,
    ORDER_COLUMNS,
    PAID_STATUSES,
    OrderLine,
    OrderRecord,
)
from shared.db.merged import Source, merged_page
from shared.db.paging import PageRequest, SortKey, next_cursor, parse_id, parse_instant
from shared.db.prepared import Rows
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork

NEWEST_FIRST = (
    SortKey(customer_order.c.placed_at, "placed_at", parse_instant, descending=True),
    SortKey(customer_order.c.id, "id", parse_id, descending=True),
)

_TENANT = bindparam("tenant", type_=Uuid)
_IDS = bindparam("ids", type_=ARRAY(Uuid))
_orders = RowsParameter("order", customer_order, ORDER_COLUMNS)
_keys = RowsParameter("key", customer_order, ("scope", "external_id"))
_lines = RowsParameter("line", order_line, ("order_id", "position", *LINE_COLUMNS))
_columns = [customer_order.c[name] for name in ORDER_COLUMNS]

_ADD = (
    insert(customer_order)
    .from_select(["tenant_id", *ORDER_COLUMNS], select(_TENANT, *_orders.source.c))
    .on_conflict_do_nothing(index_elements=["tenant_id", "scope", "external_id"])
    .returning(customer_order.c.id)
)
_FIXED = {"id", "scope", "external_id", "source", "created_at"}
_SAVE = (
    update(customer_order)
    .values({name: _orders.source.c[name] for name in ORDER_COLUMNS if name not in _FIXED})
    .where(
        customer_order.c.tenant_id == _TENANT,
        customer_order.c.id == _orders.source.c.id,
        customer_order.c.version < _orders.source.c.version,
    )
)
_REMOVE_LINES = delete(order_line).where(
    order_line.c.tenant_id == _TENANT, order_line.c.order_id == func.any(_IDS)
)
_ADD_LINES = (
    insert(order_line)
    .from_select(["tenant_id", *_lines.columns], select(_TENANT, *_lines.source.c))
    .returning(order_line.c.position)
)
_LOCK = (
    select(*_columns)
    .select_from(customer_order)
    .join(
        _keys.source,
        and_(
            customer_order.c.scope == _keys.source.c.scope,
            customer_order.c.external_id == _keys.source.c.external_id,
        ),
    )
    .where(customer_order.c.tenant_id == _TENANT)
    .order_by(customer_order.c.id)
    .with_for_update(of=customer_order)
)
_LINES_OF = (
    select(order_line)
    .where(order_line.c.tenant_id == _TENANT, order_line.c.order_id == func.any(_IDS))
    .order_by(order_line.c.order_id, order_line.c.position)
)
_BY_ID = select(*_columns).where(
    customer_order.c.tenant_id == _TENANT, customer_order.c.id == bindparam("id", type_=Uuid)
)
_WALK = (
    select(*_columns)
    .where(
        customer_order.c.tenant_id == _TENANT,
        customer_order.c.id > bindparam("after_id", type_=Uuid),
    )
    .order_by(customer_order.c.id)
    .limit(bindparam("at_most", type_=Integer))
)
_MEMBERS = bindparam("members", type_=ARRAY(Uuid))


def _figures(records: FromClause) -> Any:
    """What the orders of customers add up to, in the currency of each one's first order.

    `records` has the `id` of records and of each the `root_id` of whom its orders are counted for.
    """
    o, root_id = customer_order.c, records.c.root_id
    first_currency = func.first_value(o.currency).over(
        partition_by=root_id, order_by=(o.placed_at, o.id)
    )
    counted = (
        select(root_id.label("customer_id"), o.currency, o.placed_at, o.financial_status)
        .add_columns(
            func.greatest(o.total_minor - o.refunded_minor, 0).label("kept_minor"),
            first_currency.label("first_currency"),
        )
        .join_from(customer_order, records, o.customer_id == records.c.id)
        .where(
            o.tenant_id == _TENANT,
            o.status != "cancelled",
            o.financial_status != "voided",
            o.deleted_at.is_(None),
        )
        .subquery("counted")
        .c
    )
    spent = and_(
        counted.financial_status.in_(("paid", "partially_refunded")),
        counted.currency == counted.first_currency,
    )
    return select(
        counted.customer_id,
        counted.first_currency.label("currency"),
        func.count().label("orders_count"),
        func.coalesce(func.sum(counted.kept_minor).filter(spent), 0).label("total_spent_minor"),
        func.min(counted.placed_at).label("first_order_at"),
        func.max(counted.placed_at).label("last_order_at"),
        func.bool_or(counted.financial_status.in_(PAID_STATUSES)).label("ever_paid"),
    ).group_by(counted.customer_id, counted.first_currency)


_given = (
    func.unnest(_IDS, bindparam("root_ids", type_=ARRAY(Uuid)))
    .table_valued(column("id", Uuid), column("root_id", Uuid))
    .render_derived(name="given")
)
_own, _merged = customer.alias("own"), customer.alias("merged")
_family = union_all(
    select(_own.c.id, _own.c.id.label("root_id")).where(
        _own.c.tenant_id == _TENANT, _own.c.id == func.any(_IDS)
    ),
    select(_merged.c.id, _merged.c.merged_into.label("root_id")).where(
        _merged.c.tenant_id == _TENANT, _merged.c.merged_into == func.any(_IDS)
    ),
).subquery("family")
_FIGURES = _figures(_given)
_FIGURES_OF_PEOPLE = _figures(_family)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a customer's orders add up to. Money in minor units of `currency`, if there is any."""

    orders_count: int = 0
    total_spent_minor: int = 0
    currency: str | None = None
    first_order_at: datetime | None = None
    last_order_at: datetime | None = None
    ever_paid: bool = False


class OrderRepository:
    """Orders, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def add(self, orders: Sequence[OrderRecord]) -> None:
        """Keep new orders with their lines. Raises OrderJustArrived when one is there already."""
        if not orders:
            return
        rows = _orders.values(order.as_row() for order in orders)
        added = await self._uow.rows(_ADD, {**self._tenant, **rows})
        if len(added) < len(orders):
            raise OrderJustArrived
        await self._add_lines(orders)

    async def save(self, orders: Sequence[OrderRecord]) -> None:
        """Write changed orders whose version has grown, with their lines."""
        if not orders:
            return
        rows = _orders.values(order.as_row() for order in orders)
        await self._uow.execute(_SAVE, {**self._tenant, **rows})
        ids = [order.id for order in orders]
        await self._uow.execute(_REMOVE_LINES, {**self._tenant, "ids": ids})
        await self._add_lines(orders)

    async def lock(self, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], OrderRecord]:
        """The orders with these scopes and external ids, unchanged by others until the commit."""
        wanted = [{"scope": scope, "external_id": external} for scope, external in keys]
        rows = await self._uow.rows(_LOCK, {**self._tenant, **_keys.values(wanted)})
        lines = await self._lines_of([row.id for row in rows])
        orders = [OrderRecord.of(row, lines[row.id]) for row in rows]
        return {order.key: order for order in orders}

    async def get(self, order_id: UUID) -> OrderRecord:
        """Raises OrderNotFound."""
        row = await self._uow.one_or_none(_BY_ID, {**self._tenant, "id": order_id})
        if row is None:
            raise OrderNotFound
        lines = await self._lines_of([order_id])
        return OrderRecord.of(row, lines[order_id])

    async def walk(self, after_id: UUID, at_most: int) -> list[OrderRecord]:
        """The orders whose ids follow `after_id`, in the order of their ids."""
        parameters = {**self._tenant, "after_id": after_id, "at_most": at_most}
        rows = await self._uow.rows(_WALK, parameters)
        lines = await self._lines_of([row.id for row in rows])
        return [OrderRecord.of(row, lines[row.id]) for row in rows]

    async def list_of(
        self, member_ids: Sequence[UUID], request: PageRequest
    ) -> tuple[list[OrderRecord], str | None]:
        """A page of a person's orders without lines, newest first, and the next cursor."""
        statement = merged_page(
            customer_order,
            _columns,
            [Source(lambda member: customer_order.c.customer_id == member, _MEMBERS)],
            where=[customer_order.c.tenant_id == _TENANT],
            order=NEWEST_FIRST,
            request=request,
        )
        rows = await self._uow.rows(statement, {**self._tenant, "members": list(member_ids)})
        kept, cursor = next_cursor(rows, NEWEST_FIRST, request.limit)
        return [OrderRecord.of(row) for row in kept], cursor

    async def figures(self, customer_ids: Collection[UUID]) -> dict[UUID, Figures]:
        """What the orders of each of these records add up to."""
        return await self.figures_of_families({one: one for one in customer_ids})

    async def figures_of_families(self, members: Mapping[UUID, UUID]) -> dict[UUID, Figures]:
        """What the orders add up to of people whose records are the keys of `members`.

        By the values, who stand for them.
        """
        asked = {"ids": list(members), "root_ids": list(members.values())}
        rows = await self._uow.rows(_FIGURES, {**self._tenant, **asked})
        return _by_customer(rows, set(members.values()))

    async def figures_of_people(self, root_ids: Collection[UUID]) -> dict[UUID, Figures]:
        """What the orders of all records of each of these people add up to."""
        rows = await self._uow.rows(_FIGURES_OF_PEOPLE, {**self._tenant, "ids": list(root_ids)})
        return _by_customer(rows, root_ids)

    async def _add_lines(self, orders: Iterable[OrderRecord]) -> None:
        rows = [
            line.as_row(order.id, position)
            for order in orders
            for position, line in enumerate(order.lines, start=1)
        ]
        if rows:
            await self._uow.rows(_ADD_LINES, {**self._tenant, **_lines.values(rows)})

    async def _lines_of(self, order_ids: Sequence[UUID]) -> defaultdict[UUID, list[OrderLine]]:
        lines: defaultdict[UUID, list[OrderLine]] = defaultdict(list)
        if order_ids:
            parameters = {**self._tenant, "ids": list(order_ids)}
            for row in await self._uow.rows(_LINES_OF, parameters):
                lines[row.order_id].append(OrderLine.of(row))
        return lines


def _by_customer(rows: Rows, customer_ids: Collection[UUID]) -> dict[UUID, Figures]:
    found = {
        row.customer_id: Figures(
            orders_count=row.orders_count,
            total_spent_minor=int(row.total_spent_minor),
            currency=row.currency,
            first_order_at=row.first_order_at,
            last_order_at=row.last_order_at,
            ever_paid=row.ever_paid,
        )
        for row in rows
    }
    return {customer_id: found.get(customer_id, Figures()) for customer_id in customer_ids}
