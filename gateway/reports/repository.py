"""SQL of the gateway's own counts."""

from typing import Final

from sqlalchemy import bindparam, distinct, func, select, tuple_

from gateway.connections.models import connection
from gateway.deliveries.models import delivery
from gateway.deliveries.schemas import DeliveryStatus
from shared.db.unit_of_work import UnitOfWork

# What is only told to be gone is nothing that anybody has to keep.
_DELETIONS: Final = ("orders/delete", "order.deleted", "customers/delete", "customer.deleted")
_BY_STATUS = (
    select(delivery.c.status, func.count().label("number"))
    .where(delivery.c.tenant_id == bindparam("tenant"))
    .group_by(delivery.c.status)
)
_TOLD = (
    select(
        delivery.c.object_kind,
        func.count(distinct(tuple_(delivery.c.connection_id, delivery.c.object_id))).label(
            "number"
        ),
    )
    .where(
        delivery.c.tenant_id == bindparam("tenant"),
        delivery.c.status == "processed",
        delivery.c.topic.not_in([bindparam(f"topic_{n}", t) for n, t in enumerate(_DELETIONS)]),
    )
    .group_by(delivery.c.object_kind)
)
_CONNECTIONS = (
    select(func.count())
    .select_from(connection)
    .where(connection.c.tenant_id == bindparam("tenant"), connection.c.active)
)


class CountRepository:
    """Counts of one shop, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def counts(self) -> dict[str, int]:
        """Deliveries by what became of them, and the different things that they told of."""
        scope = {"tenant": self._uow.tenant_id}
        by_status = {row.status: row.number for row in await self._uow.rows(_BY_STATUS, scope)}
        told = {row.object_kind: row.number for row in await self._uow.rows(_TOLD, scope)}
        return {
            "connections": int(await self._uow.scalar(_CONNECTIONS, scope)),
            "deliveries": sum(by_status.values()),
            **{f"deliveries_{s.value}": by_status.get(s.value, 0) for s in DeliveryStatus},
            "customers_told": told.get("customer", 0),
            "orders_told": told.get("order", 0),
        }
