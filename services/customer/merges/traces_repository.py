"""SQL of what was written of records: how much comes with them, and what came to them since."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Table,
    Text,
    Uuid,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    union_all,
)

from services.customer.addresses.models import customer_address
from services.customer.appointments.models import appointment
from services.customer.consents.models import consent_record
from services.customer.contacts.models import contact_person
from services.customer.customers.models import customer_identity
from services.customer.interactions.models import interaction
from services.customer.loyalty.models import loyalty_entry
from services.customer.notes.models import note
from services.customer.orders.models import customer_order
from services.customer.tasks.models import task
from services.customer.timeline.models import timeline_entry
from services.customer.touches.models import touch
from services.customer.vouchers.models import voucher_code, voucher_redemption
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

MOST_NAMED: Final = 100
"""Of each kind of thing that cannot be decided so many are named."""

_TENANT: Final = bindparam("tenant", type_=Uuid)
_MEMBERS: Final = bindparam("members", type_=ARRAY(Uuid))
_SINCE: Final = bindparam("since", type_=Instant)
_TABLES: Final = {
    "identities": customer_identity,
    "orders": customer_order,
    "consents": consent_record,
    "timeline_entries": timeline_entry,
    "addresses": customer_address,
    "contacts": contact_person,
    "interactions": interaction,
    "notes": note,
    "tasks": task,
    "appointments": appointment,
    "touches": touch,
    "loyalty_entries": loyalty_entry,
    "voucher_codes": voucher_code,
    "voucher_redemptions": voucher_redemption,
}
# An order of a platform came through an identity, points through an order: they know where to go.
_NAMED_BY_CALLERS: Final[dict[str, tuple[Table, tuple[ColumnElement[bool], ...]]]] = {
    "order": (customer_order, (customer_order.c.connection_id.is_(None),)),
    "consent": (consent_record, ()),
    "address": (customer_address, ()),
    "contact": (contact_person, ()),
    "interaction": (interaction, ()),
    "note": (note, ()),
    "task": (task, (task.c.ticket_id.is_(None),)),
    "appointment": (appointment, ()),
    "touch": (touch, ()),
    "loyalty_entry": (
        loyalty_entry,
        (loyalty_entry.c.order_id.is_(None), loyalty_entry.c.actor_id.is_not(None)),
    ),
    "voucher_redemption": (voucher_redemption, ()),
}


def _counts() -> Any:
    counts = [
        select(func.count())
        .select_from(table)
        .where(table.c.tenant_id == _TENANT, table.c.customer_id == func.any(_MEMBERS))
        .scalar_subquery()
        .label(name)
        for name, table in _TABLES.items()
    ]
    return select(*counts)


def _written() -> Any:
    parts = []
    for kind, (table, conditions) in _NAMED_BY_CALLERS.items():
        found = (
            select(literal_column(f"'{kind}'").label("object"), table.c.id)
            .where(
                table.c.tenant_id == _TENANT,
                table.c.customer_id == func.any(_MEMBERS),
                table.c.created_at >= _SINCE,
                *conditions,
            )
            .order_by(table.c.created_at, table.c.id)
            .limit(bindparam("at_most", type_=Integer))
            .subquery(f"of_{kind}")
        )
        parts.append(select(*found.c))
    return union_all(*parts)


_WAS_SET: Final = select(
    exists().where(
        timeline_entry.c.tenant_id == _TENANT,
        timeline_entry.c.customer_id == bindparam("record_id", type_=Uuid),
        timeline_entry.c.type == "customer.changed",
        timeline_entry.c.occurred_at >= _SINCE,
        timeline_entry.c.data["fields"].has_key(bindparam("field", type_=Text)),
    )
)
_COUNTS: Final = _counts()
_WRITTEN: Final = _written()


@dataclass(frozen=True, slots=True)
class Written:
    """Things of one kind that callers wrote to a record by its id; `more` than are named."""

    object: str
    ids: list[UUID]
    more: bool


class TraceRepository:
    """What was written of records, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def counts(self, record_ids: Collection[UUID]) -> dict[str, int]:
        """How many things of each kind belong to these records."""
        row = await self._uow.one(_COUNTS, {**self._tenant, "members": sorted(record_ids)})
        return {name: int(count) for name, count in row._mapping.items()}

    async def written_since(self, record_ids: Collection[UUID], since: datetime) -> list[Written]:
        """What callers have written to these records by their ids."""
        asked = {"members": sorted(record_ids), "since": since, "at_most": MOST_NAMED + 1}
        found: dict[str, list[UUID]] = {}
        for row in await self._uow.rows(_WRITTEN, {**self._tenant, **asked}):
            found.setdefault(row.object, []).append(row.id)
        return [
            Written(kind, ids[:MOST_NAMED], more=len(ids) > MOST_NAMED)
            for kind, ids in sorted(found.items())
        ]

    async def was_set(self, record_id: UUID, field: str, *, since: datetime) -> bool:
        """Whether somebody has said by hand what a field of a record is."""
        asked = {"record_id": record_id, "field": field, "since": since}
        return bool(await self._uow.scalar(_WAS_SET, {**self._tenant, **asked}))
