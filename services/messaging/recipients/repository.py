"""SQL of the projection of customers and of their last orders."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Select,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, insert

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
    """A newer state, or the same one told again to who kept less of it when it came first."""
    given, values = _upsert(recipient, _states)
    told = given.excluded
    same = told.version == recipient.c.version
    preference = told.preferred_channel.is_distinct_from(recipient.c.preferred_channel)
    return given.on_conflict_do_update(
        index_elements=["tenant_id", "customer_id"],
        set_=values,
        where=or_(told.version > recipient.c.version, and_(same, preference)),
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


def _find_many() -> Select[Any]:
    """Selects, for each of `:ids`, the person: their root, their records, their last order."""
    asked, other = recipient.alias("asked"), recipient.alias("other")
    # Not coalesce(): under row-level security no index would be used for what it gives.
    root_id = case((asked.c.merged_into.is_(None), asked.c.customer_id), else_=asked.c.merged_into)
    others: Any = func.array_agg(other.c.customer_id, type_=ARRAY(Uuid))
    every = func.array_append(others, recipient.c.customer_id, type_=ARRAY(Uuid))
    family = (
        select(
            every.label("member_ids"),
            func.array_agg(other.c.email_key, type_=ARRAY(Text)).label("other_keys"),
        )
        .where(other.c.tenant_id == TENANT, other.c.merged_into == recipient.c.customer_id)
        .correlate(recipient)
        .lateral("family")
    )
    newest = (
        select(*_ORDER_COLUMNS)
        .where(
            last_order.c.tenant_id == TENANT,
            last_order.c.customer_id == func.any(family.c.member_ids),
        )
        .order_by(last_order.c.placed_at.desc(), last_order.c.order_id.desc())
        .limit(1)
        .lateral("newest")
    )
    root = and_(recipient.c.tenant_id == TENANT, recipient.c.customer_id == root_id)
    own = [column for column in recipient.c if column.name != "version"]
    return (
        select(
            asked.c.customer_id.label("asked_id"),
            asked.c.version,
            *own,
            family.c.member_ids,
            family.c.other_keys,
            *newest.c,
        )
        .select_from(asked.join(recipient, root).join(family, true()).outerjoin(newest, true()))
        .where(asked.c.tenant_id == TENANT, asked.c.customer_id == func.any(_IDS))
    )


_FIND_MANY = _find_many()
_BEST_RECORD: Any = func.array_agg(
    aggregate_order_by(
        recipient.c.customer_id,
        recipient.c.merged_into.is_(None).desc(),
        recipient.c.customer_id.asc(),
    ),
    type_=ARRAY(Uuid),
)
_BY_ADDRESS = (
    select(_BEST_RECORD[1])
    .where(
        recipient.c.tenant_id == TENANT,
        or_(
            recipient.c.email_key == bindparam("email_key", type_=Text),
            recipient.c.phone == bindparam("phone", type_=Text),
        ),
    )
    .group_by(func.coalesce(recipient.c.merged_into, recipient.c.customer_id))
    .limit(2)
)
_MERGED_AMONG = select(recipient.c.customer_id).where(
    recipient.c.tenant_id == TENANT,
    recipient.c.customer_id == func.any(_IDS),
    recipient.c.merged_into.is_not(None),
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
                "preferred_channel": None if state.restricted else state.preferred_channel,
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
        """The recipients among `customer_ids` that are known here, by the id asked for.

        For a merged record it is the one that stands for it, with the last order of them all.
        """
        if not customer_ids:
            return {}
        rows = await self._uow.rows(_FIND_MANY, {**self._tenant, "ids": list(customer_ids)})
        return {row.asked_id: recipient_from(dict(row._mapping)) for row in rows}

    async def merged_among(self, customer_ids: Collection[UUID]) -> frozenset[UUID]:
        """Those of the records for which another one stands."""
        asked = {**self._tenant, "ids": list(customer_ids)}
        return frozenset(await self._uow.scalars(_MERGED_AMONG, asked))

    async def find_by_address(self, *, email: str | None, phone: str | None) -> UUID | None:
        """The one customer with this e-mail address or phone; None when unknown or ambiguous.

        Of a person's records one that has the address, the one that stands for them before others.
        """
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
