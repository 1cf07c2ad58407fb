"""SQL of orders."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Integer,
    Text,
    Uuid,
    and_,
    bindparam,
    column,
    delete,
    exists,
    func,
    or_,
    select,
    table,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.customers.models import customer
from services.customer.customers.repository import Aside
from services.customer.orders.errors import OrderJustArrived, OrderNotFound
from services.customer.orders.models import customer_order, order_line
from services.customer.orders.news import OrderChange
from services.customer.orders.record import (
    LINE_COLUMNS,
    ORDER_COLUMNS,
    PAID_STATUSES,
    Key,
    OrderLine,
    OrderRecord,
)
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import ADD_ENTRIES, NEW_ENTRIES
from shared.db.merged import Source, merged_page
from shared.db.paging import PageRequest, SortKey, next_cursor, parse_id, parse_instant
from shared.db.rows import NewRows, RowsParameter, any_id
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

NEWEST_FIRST = (
    SortKey(customer_order.c.placed_at, "placed_at", parse_instant, descending=True),
    SortKey(customer_order.c.id, "id", parse_id, descending=True),
)

_TENANT = bindparam("tenant", type_=Uuid)
_IDS = any_id("ids")
_MEMBERS = bindparam("members", type_=ARRAY(Uuid))
_new = NewRows("order", customer_order, ORDER_COLUMNS)
_changed = RowsParameter("changed", customer_order, ORDER_COLUMNS)
_heard = RowsParameter("heard", customer_order, ("id", "changed_at"))
_keys = RowsParameter("key", customer_order, ("scope", "external_id"))
_lines = NewRows("line", order_line, ("order_id", "position", *LINE_COLUMNS))
_columns = [customer_order.c[name] for name in ORDER_COLUMNS]
# The slices of these stand on this one, so only what is asked of their tables is known here.
_PROGRAMMES = [
    table(name, column("tenant_id", Uuid), schema="customer")
    for name in ("referral_programme", "loyalty_programme")
]
_lead = table(
    "lead",
    *(column("tenant_id", Uuid), column("customer_id", Uuid), column("converted_at", Instant)),
    schema="customer",
)
# The records of whoever becomes a customer.
_own, _merged = customer.alias("own"), customer.alias("merged")
_member = union_all(
    select(_own.c.id).where(_own.c.tenant_id == _TENANT, _own.c.id == any_id("converted")),
    select(_merged.c.id).where(
        _merged.c.tenant_id == _TENANT, _merged.c.merged_into == any_id("converted")
    ),
).subquery("member")


@dataclass(frozen=True, slots=True)
class Consequences:
    """What may follow from orders that were kept; so it is where nobody has looked."""

    earns: bool = True
    """The shop has a programme, of points or for friends, or there is more than new orders."""
    was_captured: bool = True
    """Of those who become customers there are leads."""


def _insert_orders() -> Any:
    """Orders with their lines and the entries that tell of them: one round trip, however many."""
    new = (
        insert(customer_order)
        .from_select(["tenant_id", *ORDER_COLUMNS], select(_TENANT, *_new.source.c))
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
        select(
            func.count().label("added"),
            or_(*(exists().where(each.c.tenant_id == _TENANT) for each in _PROGRAMMES)).label(
                "earns"
            ),
            exists()
            .where(
                _lead.c.tenant_id == _TENANT,
                _lead.c.customer_id == _member.c.id,
                _lead.c.converted_at.is_(None),
            )
            .label("was_captured"),
        )
        .select_from(new)
        .add_cte(lines, ADD_ENTRIES.cte("new_entry"))
    )


_ADD = _insert_orders()
_FIXED = {"id", "scope", "external_id", "source", "created_at"}
_SAVE = (
    update(customer_order)
    .values({name: _changed.source.c[name] for name in ORDER_COLUMNS if name not in _FIXED})
    .where(
        customer_order.c.tenant_id == _TENANT,
        customer_order.c.id == _changed.source.c.id,
        customer_order.c.version < _changed.source.c.version,
    )
    .add_cte(ADD_ENTRIES.cte("new_entry"))
)
_SAVE_HEARD = (
    update(customer_order)
    .values(changed_at=_heard.source.c.changed_at)
    .where(customer_order.c.tenant_id == _TENANT, customer_order.c.id == _heard.source.c.id)
)
_REMOVE_LINES = delete(order_line).where(
    order_line.c.tenant_id == _TENANT, order_line.c.order_id == _IDS
)
_ADD_LINES = (
    insert(order_line)
    .from_select(["tenant_id", *_lines.columns], select(_TENANT, *_lines.source.c))
    .returning(order_line.c.position)
)
# One after the other by their keys: a join could be planned as a walk over all orders.
_known = customer_order.alias("known")
_OF_KEY = (
    select(_known.c.id)
    .where(
        _known.c.tenant_id == _TENANT,
        _known.c.scope == _keys.source.c.scope,
        _known.c.external_id == _keys.source.c.external_id,
    )
    .correlate(_keys.source)
    .scalar_subquery()
)
IS_KNOWN: Final = Aside(
    exists().where(
        _known.c.tenant_id == _TENANT,
        _known.c.scope == bindparam("asked_scope", type_=Text),
        _known.c.external_id == bindparam("asked_external_id", type_=Text),
    )
)
"""Whether there is an order of a key; asked with the parameters of `asking_for`."""
_LOCK = (
    select(*_columns)
    .where(
        customer_order.c.tenant_id == _TENANT,
        customer_order.c.id
        == func.any(
            func.array(
                select(_OF_KEY).select_from(_keys.source).scalar_subquery(), type_=ARRAY(Uuid)
            )
        ),
    )
    .order_by(customer_order.c.id)
    .with_for_update(of=customer_order)
)
_LINES_OF = (
    select(order_line)
    .where(order_line.c.tenant_id == _TENANT, order_line.c.order_id == _IDS)
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
        customer_order.c.customer_id == _IDS,
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


def asking_for(key: Key) -> dict[str, Any]:
    """The parameters of `IS_KNOWN`."""
    scope, external_id = key
    return {"asked_scope": scope, "asked_external_id": external_id}


class OrderRepository:
    """Orders, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def lock(self, keys: Collection[Key]) -> dict[Key, OrderRecord]:
        """The orders with these keys, nobody else changing them until the commit."""
        rows = await self._uow.rows(_LOCK, {**self._tenant, **_keys.values(_key_rows(keys))})
        lines = await self._lines_of([row.id for row in rows])
        orders = [OrderRecord.of(row, lines[row.id]) for row in rows]
        return {order.key: order for order in orders}

    async def put(
        self, changes: Sequence[OrderChange], entries: Sequence[Entry], *, converted: Sequence[UUID]
    ) -> Consequences:
        """Keep new and changed orders, and what there is to tell of their customers.

        The customers are known; those who become one by it are `converted`. Raises OrderJustArrived
        when a new order is there already; nothing must be committed then.
        """
        told = NEW_ENTRIES.values(entry.as_row() for entry in entries)
        untold = NEW_ENTRIES.values(())
        added = [change.after for change in changes if change.before is None]
        changed = [change for change in changes if change.before is not None]
        consequences = Consequences()
        if added:
            found = await self._add(added, {**told, "converted": list(converted)})
            # Of those that were changed nobody has asked.
            consequences = consequences if changed else found
        if changed:
            orders = [change.after for change in changed]
            rows = _changed.values(order.as_row() for order in orders)
            entry_rows = untold if added else told
            await self._uow.execute(_SAVE, {**self._tenant, **rows, **entry_rows})
            await self._replace_lines(changed)
        return consequences

    async def put_heard(self, orders: Iterable[OrderRecord]) -> None:
        """Keep until when nothing else was heard of locked orders; that is no version of them."""
        rows = [{"id": order.id, "changed_at": order.changed_at} for order in orders]
        if rows:
            await self._uow.execute(_SAVE_HEARD, {**self._tenant, **_heard.values(rows)})

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

    async def _add(self, orders: Sequence[OrderRecord], more: dict[str, Any]) -> Consequences:
        rows = _new.values(order.as_row() for order in orders)
        lines = _lines.values(_line_rows(orders))
        found = await self._uow.one(_ADD, {**self._tenant, **rows, **lines, **more})
        if found.added < len(orders):
            raise OrderJustArrived
        return Consequences(found.earns, found.was_captured)

    async def _replace_lines(self, changes: Iterable[OrderChange]) -> None:
        """Lines have no ids of their own: where one differs, all are written anew."""
        orders = [c.after for c in changes if c.before is None or c.before.lines != c.after.lines]
        if not orders:
            return
        ids = [order.id for order in orders]
        await self._uow.execute(_REMOVE_LINES, {**self._tenant, "ids": ids})
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
