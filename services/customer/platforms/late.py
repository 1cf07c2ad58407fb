"""Deliveries about people who were erased meanwhile: what is of them is not taken in again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select

from services.customer.customers.models import customer
from services.customer.erased.identities import ErasedIdentities, IdentityDigests
from services.customer.orders.models import customer_order
from services.customer.orders.news import OrderRemoval
from services.customer.platforms.intake import CustomerGone, CustomerTold, Delivery, OrderTold
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork

_TENANT: Final = bindparam("tenant", type_=Uuid)
_named = RowsParameter("named", customer_order, ("scope", "external_id"))
_OF_ERASED: Final = (
    select(customer_order.c.scope, customer_order.c.external_id, customer_order.c.customer_id)
    .select_from(
        _named.source.join(
            customer_order,
            (customer_order.c.tenant_id == _TENANT)
            & (customer_order.c.scope == _named.source.c.scope)
            & (customer_order.c.external_id == _named.source.c.external_id),
        ).join(
            customer,
            (customer.c.tenant_id == _TENANT) & (customer.c.id == customer_order.c.customer_id),
        )
    )
    .where(customer.c.erased_at.is_not(None))
)


@dataclass(frozen=True, slots=True)
class ToldApart:
    """Deliveries without what tells of erased people."""

    kept: Sequence[Delivery]
    owners: Mapping[int, UUID]
    """Whose the orders of erased people are, by `id` of what is kept."""

    delivery_ids: Sequence[UUID]
    """What told of erased people, kept or not, as the gateway names it."""


class LateDeliveries:
    """Tells what is of erased people apart, inside one unit of work.

    A platform's account of somebody who was erased tells nothing any more. Their orders are kept
    with what is left of them, without the person; only an order placed after the erasure is one
    of somebody who has come back.
    """

    def __init__(self, uow: UnitOfWork, *, digests: IdentityDigests) -> None:
        self._uow = uow
        self._gone = ErasedIdentities(uow, digests=digests)

    async def told_apart(self, deliveries: Sequence[Delivery]) -> ToldApart:
        """What is to be taken in, and what of it is of erased people."""
        people = [d.person for d in deliveries if isinstance(d, CustomerTold | CustomerGone)]
        orders = [d for d in deliveries if isinstance(d, OrderTold)]
        keys = {
            identity.key
            for person in (*people, *(order.person for order in orders))
            for identity in person.identities
            if identity.kind == "platform_id"
        }
        gone = await self._gone.erased(keys)
        known = await self._of_erased(orders)
        kept: list[Delivery] = []
        owners: dict[int, UUID] = {}
        late: list[UUID] = []
        back: list[tuple[str, str, str]] = []
        for delivery in deliveries:
            if isinstance(delivery, OrderRemoval):
                kept.append(delivery)
                continue
            key = next((i.key for i in delivery.person.identities if i.key in gone), None)
            if isinstance(delivery, OrderTold):
                kept.append(delivery)
                if delivery.content.key in known:
                    owners[id(delivery)] = known[delivery.content.key]
                elif key is not None:
                    owner, erased_at = gone[key]
                    if delivery.content.placed_at <= erased_at:
                        owners[id(delivery)] = owner
                    else:
                        back.append(key)
                if id(delivery) in owners:
                    late.append(delivery.person.origin.delivery_id)
            elif key is None or key in back:
                kept.append(delivery)
            else:
                late.append(delivery.person.origin.delivery_id)
        await self._gone.forget(back)
        return ToldApart(kept, owners, late)

    async def _of_erased(self, orders: Sequence[OrderTold]) -> dict[tuple[str, str], UUID]:
        if not orders:
            return {}
        keys = [
            {"scope": scope, "external_id": id_} for scope, id_ in {o.content.key for o in orders}
        ]
        asked = {"tenant": self._uow.tenant_id, **_named.values(keys)}
        rows = await self._uow.rows(_OF_ERASED, asked)
        return {(row.scope, row.external_id): row.customer_id for row in rows}
