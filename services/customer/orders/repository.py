"""SQL of orders and of the figures that follow from them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    column,
    delete,
    exists,
    func,
    not_,
    null,
    or_,
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
    SPENT_STATUSES,
    Key,
    OrderLine,
    OrderRecord,
)
from services.customer.orders.tally import CurrencyTally, Figures, Tally
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import ADD_ENTRIES, NEW_ENTRIES
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


def _insert_orders() -> Any:
    """Orders with their lines and the entries that tell of them: one round trip, however many."""
    new = (
        insert(customer_order)
        .from_select(["tenant_id", *ORDER_COLUMNS], select(_TENANT, *_orders.source.c))
        .on_conflict_do_nothing(index_elements=["tenant_id", "scope", "external_id"])
        .returning(customer_order.c.id)
        .cte("new_order")
    )
    lines = (
        insert(order_line)
        .from_select(
            ["tenant_id", *_lines.columns],
            select(_TENANT, *_lines.source.c).join_from(
                _lines.source, new, new.c.id == _lines.source.c.order_id
            ),
        )
        .returning(order_line.c.position)
        .cte("new_line")
    )
    return (
        select(func.count().label("added"))
        .select_from(new)
        .add_cte(lines, ADD_ENTRIES.cte("new_entry"))
    )


_ADD = _insert_orders()
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
_IS_ONE_OF_KEYS = (
    exists()
    .select_from(_keys.source)
    .where(
        _keys.source.c.scope == customer_order.c.scope,
        _keys.source.c.external_id == customer_order.c.external_id,
    )
)
_LINES_OF = (
    select(order_line)
    .where(order_line.c.tenant_id == _TENANT, order_line.c.order_id == func.any(_IDS))
    .order_by(order_line.c.order_id, order_line.c.position)
)
_BY_ID = select(*_columns).where(
    customer_order.c.tenant_id == _TENANT, customer_order.c.id == bindparam("id", type_=Uuid)
)
_HAS_BOUGHT = select(
    exists()
    .select_from(
        customer_order.join(
            order_line,
            and_(
                order_line.c.tenant_id == _TENANT,
                order_line.c.order_id == customer_order.c.id,
                order_line.c.product_id == bindparam("wanted_product", type_=Text),
            ),
        )
    )
    .where(
        customer_order.c.tenant_id == _TENANT,
        customer_order.c.customer_id == func.any(_IDS),
        customer_order.c.status != "cancelled",
        customer_order.c.deleted_at.is_(None),
        or_(*(customer_order.c.financial_status == status for status in PAID_STATUSES)),
    )
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
# Each record and who stands for it, as they are given.
_given = (
    func.unnest(_IDS, bindparam("root_ids", type_=ARRAY(Uuid)))
    .table_valued(column("id", Uuid), column("root_id", Uuid))
    .render_derived(name="given")
)
# All records of those who stand for them.
_own, _merged = customer.alias("own"), customer.alias("merged")
_family = union_all(
    select(_own.c.id, _own.c.id.label("root_id")).where(
        _own.c.tenant_id == _TENANT, _own.c.id == func.any(_IDS)
    ),
    select(_merged.c.id, _merged.c.merged_into.label("root_id")).where(
        _merged.c.tenant_id == _TENANT, _merged.c.merged_into == func.any(_IDS)
    ),
).subquery("family")


def _is_one_of(statuses: Iterable[str]) -> ColumnElement[bool]:
    """Whether an order has one of these; written out, unlike `IN`, so that it can be prepared."""
    return or_(*(customer_order.c.financial_status == status for status in statuses))


def _spent() -> ColumnElement[Any]:
    """What was paid and not given back."""
    o = customer_order.c
    kept = func.greatest(o.total_minor - o.refunded_minor, 0, type_=BigInteger)
    paid = func.sum(kept, type_=BigInteger).filter(_is_one_of(SPENT_STATUSES))
    return func.coalesce(paid, 0, type_=BigInteger)


def _counted() -> list[ColumnElement[bool]]:
    """The orders that count among their customers' orders."""
    o = customer_order.c
    return [
        o.tenant_id == _TENANT,
        o.status != "cancelled",
        o.financial_status != "voided",
        o.deleted_at.is_(None),
    ]


def _tallies(records: FromClause, *conditions: ColumnElement[bool]) -> Select[Any]:
    """What the orders of customers add up to, by currency.

    `records` has the `id` of records and of each the `root_id` of whom its orders are counted for.
    """
    o = customer_order.c
    return (
        select(
            records.c.root_id.label("tallied_id"),
            o.currency.label("tallied_currency"),
            func.count().label("orders_count"),
            _spent().label("spent_minor"),
            func.sum(o.total_minor, type_=BigInteger).label("ordered_minor"),
            func.min(o.placed_at).label("first_order_at"),
            func.max(o.placed_at).label("last_order_at"),
            func.bool_or(_is_one_of(PAID_STATUSES), type_=Boolean).label("ever_paid"),
        )
        .join_from(customer_order, records, o.customer_id == records.c.id)
        .where(*_counted(), *conditions)
        .group_by(records.c.root_id, o.currency)
    )


def _look() -> Any:
    """Orders by their keys, locked, and what the other orders of customers add up to.

    Two things of one statement: a row has the columns of the one or of the other.
    """
    locked = _LOCK.cte("locked")
    others = _TALLIES_OF_OTHERS.cte("others")
    return union_all(
        select(*locked.c, *(cast(null(), c.type).label(c.name) for c in others.c)),
        select(*(cast(null(), c.type).label(c.name) for c in locked.c), *others.c),
    )


def _figures_of_person() -> Select[Any]:
    """What the orders of all records of a person come to, by currency."""
    o = customer_order.c
    return (
        select(
            o.currency,
            func.count().label("orders_count"),
            func.count().filter(_is_one_of(SPENT_STATUSES)).label("paid_orders_count"),
            _spent().label("total_spent_minor"),
            func.sum(o.refunded_minor, type_=BigInteger).label("refunded_minor"),
            func.sum(o.returns_count, type_=BigInteger).label("returns_count"),
            func.min(o.placed_at).label("first_order_at"),
            func.max(o.placed_at).label("last_order_at"),
        )
        .where(*_counted(), o.customer_id == func.any(_IDS))
        .group_by(o.currency)
        .order_by(func.min(o.placed_at), o.currency)
    )


_FIGURES = _tallies(_given)
_TALLIES_OF_OTHERS = _tallies(_family, not_(_IS_ONE_OF_KEYS))
_LOOK = _look()
_FIGURES_OF_PERSON = _figures_of_person()


class OrderRepository:
    """Orders, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def add(self, orders: Sequence[OrderRecord], entries: Sequence[Entry]) -> None:
        """Keep new orders with their lines, and what there is to tell of their customers.

        Raises OrderJustArrived when one is there already; nothing must be committed then.
        """
        if not orders:
            return
        added = await self._uow.scalar(
            _ADD,
            {
                **self._tenant,
                **_orders.values(order.as_row() for order in orders),
                **_lines.values(_line_rows(orders)),
                **NEW_ENTRIES.values(entry.as_row() for entry in entries),
            },
        )
        if added < len(orders):
            raise OrderJustArrived

    async def save(self, orders: Sequence[OrderRecord]) -> None:
        """Write changed orders whose version has grown, with their lines."""
        if not orders:
            return
        rows = _orders.values(order.as_row() for order in orders)
        await self._uow.execute(_SAVE, {**self._tenant, **rows})
        ids = [order.id for order in orders]
        await self._uow.execute(_REMOVE_LINES, {**self._tenant, "ids": ids})
        await self._add_lines(orders)

    async def look(
        self, keys: Collection[Key], customer_ids: Collection[UUID]
    ) -> tuple[dict[Key, OrderRecord], dict[UUID, Tally]]:
        """The orders with these keys, locked, and what other orders of these people add up to.

        People are named by who stands for them.
        """
        wanted = {**self._tenant, **_keys.values(_key_rows(keys)), "ids": list(customer_ids)}
        rows = await self._uow.rows(_LOOK, wanted)
        found = [row for row in rows if row.id is not None]
        lines = await self._lines_of([row.id for row in found])
        orders = [OrderRecord.of(row, lines[row.id]) for row in found]
        return {order.key: order for order in orders}, _by_customer(customer_ids, rows)

    async def tallies_without(
        self, keys: Collection[Key], customer_ids: Collection[UUID]
    ) -> dict[UUID, Tally]:
        """What the orders of these people add up to, but for those with these keys."""
        if not customer_ids:
            return {}
        wanted = {**self._tenant, **_keys.values(_key_rows(keys)), "ids": list(customer_ids)}
        return _by_customer(customer_ids, await self._uow.rows(_TALLIES_OF_OTHERS, wanted))

    async def get(self, order_id: UUID) -> OrderRecord:
        """Raises OrderNotFound."""
        row = await self._uow.one_or_none(_BY_ID, {**self._tenant, "id": order_id})
        if row is None:
            raise OrderNotFound
        lines = await self._lines_of([order_id])
        return OrderRecord.of(row, lines[order_id])

    async def has_bought(self, member_ids: Collection[UUID], product_id: str) -> bool:
        """Whether a person has ever paid for a product."""
        wanted = {**self._tenant, "ids": list(member_ids), "wanted_product": product_id}
        return bool(await self._uow.scalar(_HAS_BOUGHT, wanted))

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
        tallies = _by_customer(set(members.values()), rows)
        return {root_id: tally.figures() for root_id, tally in tallies.items()}

    async def figures_of_person(self, member_ids: Collection[UUID]) -> Rows:
        """What the orders of all these records come to, by currency, that of the first first."""
        return await self._uow.rows(_FIGURES_OF_PERSON, {**self._tenant, "ids": list(member_ids)})

    async def _add_lines(self, orders: Iterable[OrderRecord]) -> None:
        rows = _line_rows(orders)
        if rows:
            await self._uow.rows(_ADD_LINES, {**self._tenant, **_lines.values(rows)})

    async def _lines_of(self, order_ids: Sequence[UUID]) -> defaultdict[UUID, list[OrderLine]]:
        lines: defaultdict[UUID, list[OrderLine]] = defaultdict(list)
        if order_ids:
            parameters = {**self._tenant, "ids": list(order_ids)}
            for row in await self._uow.rows(_LINES_OF, parameters):
                lines[row.order_id].append(OrderLine.of(row))
        return lines


def _line_rows(orders: Iterable[OrderRecord]) -> list[dict[str, Any]]:
    return [
        line.as_row(order.id, position)
        for order in orders
        for position, line in enumerate(order.lines, start=1)
    ]


def _key_rows(keys: Iterable[Key]) -> list[dict[str, Any]]:
    return [{"scope": scope, "external_id": external_id} for scope, external_id in keys]


def _by_customer(customer_ids: Iterable[UUID], rows: Rows) -> dict[UUID, Tally]:
    tallies = {customer_id: Tally() for customer_id in customer_ids}
    for row in rows:
        if row.tallied_id is not None:
            tallies[row.tallied_id].by_currency[row.tallied_currency] = CurrencyTally(
                orders_count=row.orders_count,
                spent_minor=int(row.spent_minor),
                ordered_minor=int(row.ordered_minor),
                first_order_at=row.first_order_at,
                last_order_at=row.last_order_at,
                ever_paid=row.ever_paid,
            )
    return tallies
