"""SQL of the projection of customers and of their last orders."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Table, Text, Uuid, and_, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.messaging.recipients.addresses import address_key
from services.messaging.recipients.models import last_order, recipient
from services.messaging.recipients.records import Recipient, recipient_from
from shared.contracts.customer import CustomerState, OrderState
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork

TENANT = bindparam("tenant", type_=Uuid)
_IDS = bindparam("ids", type_=ARRAY(Uuid))
_ORDER_COLUMNS = [c for c in last_order.c if c.name not in ("tenant_id", "customer_id", "version")]

_states = RowsParameter("state", recipient, [c.name for c in recipient.c][1:])
_orders = RowsParameter("placed", last_order, [c.name for c in last_order.c][1:])


def _upsert(table: Table, rows: RowsParameter) -> Any:
    given = insert(table).from_select(["tenant_id", *rows.columns], select(TENANT, *rows.source.c))
    return given, {name: given.excluded[name] for name in rows.columns if name != "customer_id"}


def _upsert_recipients() -> Any:
    given, values = _upsert(recipient, _states)
    return given.on_conflict_do_update(
        index_elements=["tenant_id", "customer_id"],
        set_=values,
        where=given.excluded.version > recipient.c.version,
    )


def _upsert_orders() -> Any:
    """A newer state of the same order, or an order placed later."""
    given, values = _upsert(last_order, _orders)
    told = given.excluded
    same = told.order_id == last_order.c.order_id
    return given.on_conflict_do_update(
        index_elements=["tenant_id", "customer_id"],
        set_=values,
        where=or_(
            and_(same, told.version > last_order.c.version),
            and_(~same, told.placed_at > last_order.c.placed_at),
        ),
    )


_PROJECT_CUSTOMERS = _upsert_recipients()
_PROJECT_ORDERS = _upsert_orders()
_FIND_MANY = (
    select(recipient, *_ORDER_COLUMNS)
    .select_from(
        recipient.outerjoin(
            last_order,
            and_(
                last_order.c.tenant_id == TENANT,
                last_order.c.customer_id == recipient.c.customer_id,
            ),
        )
    )
    .where(recipient.c.tenant_id == TENANT, recipient.c.customer_id == func.any(_IDS))
)
_BY_ADDRESS = (
    select(recipient.c.customer_id)
    .where(
        recipient.c.tenant_id == TENANT,
        or_(
            recipient.c.email_key == bindparam("email_key", type_=Text),
            recipient.c.phone == bindparam("phone", type_=Text),
        ),
    )
    .limit(2)
)


class RecipientRepository:
    """Recipients inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def project_customers(self, states: Iterable[CustomerState]) -> None:
        """Take over each state that is newer than what is known; one state per customer."""
        rows = [
            {
                **state.model_dump(include=set(_states.columns) - {"consents"}),
                "email_key": address_key(state.email) if state.email else None,
                "consents": [consent.model_dump(mode="json") for consent in state.consents],
            }
            for state in states
        ]
        await self._uow.execute(_PROJECT_CUSTOMERS, {**self._tenant, **_states.values(rows)})

    async def project_orders(self, states: Iterable[OrderState]) -> None:
        """Keep the order placed last of each customer; one state per customer."""
        rows = [state.model_dump(include=set(_orders.columns)) for state in states]
        await self._uow.execute(_PROJECT_ORDERS, {**self._tenant, **_orders.values(rows)})

    async def find_many(self, customer_ids: Collection[UUID]) -> Mapping[UUID, Recipient]:
        """The recipients among `customer_ids` that are known here, by id."""
        if not customer_ids:
            return {}
        rows = await self._uow.rows(_FIND_MANY, {**self._tenant, "ids": list(customer_ids)})
        return {row.customer_id: recipient_from(dict(row._mapping)) for row in rows}

    async def find_by_address(self, *, email: str | None, phone: str | None) -> UUID | None:
        """The one customer with this e-mail address or phone; None when unknown or ambiguous."""
        if email is None and phone is None:
            return None
        found = await self._uow.scalars(
            _BY_ADDRESS,
            {
                **self._tenant,
                "email_key": address_key(email) if email else None,
                "phone": phone,
            },
        )
        return found[0] if len(found) == 1 else None
