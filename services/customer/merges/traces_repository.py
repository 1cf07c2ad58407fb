"""SQL of what was written of records: how much comes with them, and what came to them since."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Integer,
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
from services.customer.customers.models import customer, customer_identity
from services.customer.interactions.models import interaction
from services.customer.loyalty.models import loyalty_entry, loyalty_redemption
from services.customer.merges.written_things import WRITTEN_BY_ID
from services.customer.notes.models import note
from services.customer.orders.models import customer_order
from services.customer.tasks.models import task
from services.customer.timeline.models import timeline_entry
from services.customer.touches.models import touch
from services.customer.vouchers.models import voucher_code, voucher_redemption
from shared.db.rows import RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

MOST_NAMED: Final = 100
"""Of each kind of thing that cannot be decided so many are named."""

_TENANT: Final = bindparam("tenant", type_=Uuid)
_MEMBERS: Final = bindparam("members", type_=ARRAY(Uuid))
_SINCE: Final = bindparam("since", type_=Instant)
_AT_MOST: Final = bindparam("at_most", type_=Integer)
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


# Of every record of a person: who stands for it once they have parted.
_records = RowsParameter("record", customer, ("id", "merged_into"))
_parted = select(*_records.source.c).cte("parted")


def _written() -> Any:
    parts = []
    for name, kind in WRITTEN_BY_ID.items():
        found = (
            select(literal_column(f"'{name}'").label("object"), kind.table.c.id)
            .where(
                kind.table.c.tenant_id == _TENANT,
                kind.table.c.customer_id == func.any(_MEMBERS),
                kind.written_at >= _SINCE,
                *kind.conditions,
            )
            .order_by(kind.written_at, kind.table.c.id)
            .limit(_AT_MOST)
            .subquery(f"of_{name}")
        )
        parts.append(select(*found.c))
    return union_all(*parts, _spent_together())


def _spent_together() -> Any:
    """Redemptions of one that have spent points of another, both parted from each other now."""
    spender, owner = _parted.alias("spender"), _parted.alias("owner")
    redemption, entry = loyalty_redemption.c, loyalty_entry.c
    found = (
        select(literal_column("'loyalty_redemption'").label("object"), redemption.id)
        .distinct()
        .select_from(spender)
        .join(
            loyalty_redemption,
            (redemption.tenant_id == _TENANT) & (redemption.customer_id == spender.c.id),
        )
        .join(
            loyalty_entry,
            (entry.tenant_id == _TENANT)
            & (entry.redemption_id == redemption.id)
            & (entry.kind == literal_column("'redeem'")),
        )
        .join(owner, owner.c.id == entry.customer_id)
        .where(
            redemption.created_at >= _SINCE,
            redemption.status == literal_column("'done'"),
            spender.c.merged_into != owner.c.merged_into,
        )
        .order_by(redemption.id)
        .limit(_AT_MOST)
        .subquery("spent_together")
    )
    return select(*found.c)


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

    async def written_since(
        self, record_ids: Collection[UUID], since: datetime, *, roots: Mapping[UUID, UUID]
    ) -> list[Written]:
        """What callers have written to these records by their ids.

        Besides, the points that one has spent of another's, where the two are one no more: `roots`
        are those who stand for each record of the person from now on.
        """
        asked = {"members": sorted(record_ids), "since": since, "at_most": MOST_NAMED + 1}
        parted = _records.values(
            {"id": record_id, "merged_into": root_id} for record_id, root_id in roots.items()
        )
        found: dict[str, dict[UUID, None]] = {}
        for row in await self._uow.rows(_WRITTEN, {**self._tenant, **asked, **parted}):
            found.setdefault(row.object, {})[row.id] = None
        return [
            Written(kind, list(ids)[:MOST_NAMED], more=len(ids) > MOST_NAMED)
            for kind, ids in sorted(found.items())
        ]

    async def was_set(self, record_id: UUID, field: str, *, since: datetime) -> bool:
        """Whether somebody has said by hand what a field of a record is."""
        asked = {"record_id": record_id, "field": field, "since": since}
        return bool(await self._uow.scalar(_WAS_SET, {**self._tenant, **asked}))
