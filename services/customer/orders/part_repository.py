"""SQL of what belongs to orders."""

from collections.abc import Collection, Iterable
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, Table, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.orders.models import (
    order_fulfillment,
    order_payment,
    order_refund,
    order_return,
)
from services.customer.orders.parts import (
    OrderFulfillment,
    OrderPart,
    OrderParts,
    OrderPayment,
    OrderRefund,
    OrderReturn,
)
from shared.db.rows import NewRows
from shared.db.unit_of_work import UnitOfWork

_TENANT: Final = bindparam("tenant", type_=Uuid)
_IDS: Final = bindparam("ids", type_=ARRAY(Uuid))
_FIXED: Final = frozenset({"order_id", "external_id", "id", "created_at"})


class _Statements:
    """The statements of one kind of part, built once."""

    def __init__(self, table: Table, kind: type[OrderPart]) -> None:
        self.kind = kind
        columns = ("order_id", *kind.columns())
        self.rows = NewRows(kind.kind, table, columns)
        self.of_orders: Select[Any] = (
            select(*(table.c[name] for name in columns))
            .where(table.c.tenant_id == _TENANT, table.c.order_id == func.any(_IDS))
            .order_by(table.c.order_id, table.c.created_at, table.c.external_id)
        )
        given = insert(table).from_select(
            ["tenant_id", *columns], select(_TENANT, *self.rows.source.c)
        )
        self.put = given.on_conflict_do_update(
            index_elements=["tenant_id", "order_id", "external_id"],
            set_={name: given.excluded[name] for name in columns if name not in _FIXED},
        )


_STATEMENTS: Final = (
    _Statements(order_payment, OrderPayment),
    _Statements(order_refund, OrderRefund),
    _Statements(order_return, OrderReturn),
    _Statements(order_fulfillment, OrderFulfillment),
)


class OrderPartRepository:
    """Parts of orders, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def of_orders(self, order_ids: Collection[UUID]) -> dict[UUID, OrderParts]:
        """All parts of each of these orders."""
        found: dict[UUID, list[OrderPart]] = {order_id: [] for order_id in order_ids}
        if found:
            for sql in _STATEMENTS:
                rows = await self._uow.rows(sql.of_orders, {**self._tenant, "ids": list(found)})
                for row in rows:
                    found[row.order_id].append(sql.kind.of(row))
        return {order_id: OrderParts.gathered(parts) for order_id, parts in found.items()}

    async def put(self, parts: Iterable[tuple[UUID, OrderPart]]) -> None:
        """Keep new parts of these orders, and changed ones; the orders are locked."""
        listed = list(parts)
        for sql in _STATEMENTS:
            rows = [part.as_row(order) for order, part in listed if isinstance(part, sql.kind)]
            if rows:
                await self._uow.execute(sql.put, {**self._tenant, **sql.rows.values(rows)})
